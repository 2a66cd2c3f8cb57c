"""A repository to run commands in."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(sys.executable).parent / "certform"


@dataclass(frozen=True)
class Repository:
    """A folder, and the environment certform runs in there."""

    root: Path
    environment: dict[str, str]

    def run(
        self, *arguments: str | Path, code: int = 0, given: str | None = None, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run certform, `given` on its standard input; return what it printed, its end checked."""
        done = subprocess.run(
            [sys.executable, "-P", "-m", "reconciler", "-C", self.root, *arguments],
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            input=given,
        )
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done

    def edit(self, path: str, old: str, new: str) -> None:
        """Change a document."""
        file = self.root / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))


def environment(home: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "TMPDIR", "PYTHONPATH")}
    return {**kept, "HOME": str(home)}
