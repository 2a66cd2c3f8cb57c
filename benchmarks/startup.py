"""Start-up: the commands people wait for at a prompt."""

from functools import partial

from measurement import measure, median, scratch, seconds, show
from repository import CERTFORM, example

RUNS = 11


def main() -> None:
    """Measure commands that should feel immediate."""
    with scratch() as folder:
        root = str(example(folder))
        commands = (
            ("certform version", [CERTFORM, "version"], 0.150),
            ("certform --help", [CERTFORM, "--help"], 0.150),
            ("certform validate (example)", [CERTFORM, "--chdir", root, "validate"], 0.400),
        )
        rows = []
        for name, command, limit in commands:
            cost = median(RUNS, partial(measure, command))
            figures = (seconds(cost.wall), seconds(cost.processor), f"{cost.memory:.0f} MB")
            rows.append((name, *figures, seconds(limit)))
    show(f"Start-up, medians of {RUNS}", ("command", "wall", "processor", "memory", "aim"), rows)


if __name__ == "__main__":
    main()
