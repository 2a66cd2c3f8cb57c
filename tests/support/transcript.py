"""Sessions as pages show them: commands after `$ `, what they print, and `...` where lines are left out."""

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_MARK = "@@ command ends @@"


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and what a page says that it prints."""

    command: str
    shown: str


def steps(page: str) -> Iterator[Step]:
    """Yield the commands of a page's console blocks, in their order."""
    for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            yield Step(command, shown)


def run(
    given: list[Step], prelude: str, folder: Path, environment: Mapping[str, str]
) -> Iterator[tuple[Step, str]]:
    """Run commands in one shell; yield with each what a terminal would show, errors last."""
    end = f"printf '\\n%s\\n' '{_MARK}'"
    lines = (f"{step.command}\n{end}; {end} >&2" for step in given)
    done = subprocess.run(
        ["sh", "-uc", "\n".join((prelude, *lines))],
        cwd=folder,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    told = zip(done.stdout.split(_MARK), done.stderr.split(_MARK), strict=True)
    yield from zip(given, ("\n".join(both) for both in told), strict=False)


def is_shown(shown: str, printed: str) -> bool:
    """Whether what was printed has all lines of what is shown, in their order, and others only at `...`."""
    lines = skeleton(printed).splitlines()
    at = 0
    for index, chunk in enumerate(_chunks(skeleton(shown))):
        found = _find(chunk, lines, at) if index else (0 if lines[: len(chunk)] == chunk else None)
        if found is None:
            return False
        at = found + len(chunk)
    return shown.rstrip().endswith("...") or not any(lines[at:])


def skeleton(text: str) -> str:
    """Return a text without what differs between runs: times, serials, fingerprints, days, widths."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]?[\d:]*Z?( UTC)?", "DATE", text)
    text = re.sub(r"\b(sha256 )?[0-9a-f]{40,64}\b|sha256 [0-9a-f]+\.\.\.", "HEX", text)
    text = re.sub(r"in \d+ days?", "in N days", text)
    return "\n".join(
        re.sub(r"(?<=\S)  +", "  ", line.rstrip()) for line in text.strip().splitlines()
    )


def _chunks(shown: str) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in shown.splitlines():
        if line.strip() == "...":
            parts.append([])
        else:
            parts[-1].append(line)
    return parts


def _find(chunk: list[str], lines: list[str], start: int) -> int | None:
    ends = range(start, len(lines) - len(chunk) + 1)
    return next((at for at in ends if lines[at : at + len(chunk)] == chunk), None)
