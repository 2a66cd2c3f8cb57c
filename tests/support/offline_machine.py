"""A machine with certform and nothing else: no environment, no program, and no network where that can be."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PASSPHRASE = "a passphrase of the tests"
SOURCE = Path(__file__).resolve().parents[2]


@cache
def severed() -> tuple[str, ...]:
    """Return what starts a program without network; nothing where that is not allowed."""
    unshare = shutil.which("unshare")
    works = unshare and subprocess.run([unshare, "-n", "true"], check=False).returncode == 0
    return (unshare, "-n") if unshare and works else ()


@dataclass(frozen=True)
class OfflineMachine:
    """A folder there; papers are carried to it."""

    folder: Path

    def run(
        self,
        *arguments: str | Path,
        typed: str = "",
        passphrases: Sequence[str] = (),
        code: int = 0,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        """Run certform with what is typed; passphrases are read where `--passphrase-fd` says."""
        reading, writing = os.pipe()
        os.write(writing, "".join(f"{each}\n" for each in passphrases).encode())
        os.close(writing)
        with_passphrases = ("--passphrase-fd", str(reading)) if passphrases else ()
        done = subprocess.run(
            [*severed(), sys.executable, "-P", "-m", "reconciler", *arguments, *with_passphrases],
            cwd=self.folder,
            env={"PYTHONPATH": str(SOURCE), **variables},
            input=typed,
            pass_fds=(reading,),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        os.close(reading)
        assert done.returncode == code, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        assert "met a bug" not in done.stderr
        return done

    def sign(
        self, request: Path, *arguments: str, first_groups: str, passphrases: Sequence[str] = ()
    ) -> Path:
        """Carry a request here, sign it, and return the answer."""
        shutil.copy(request, self.folder / "request.json")
        typed, where = f"{first_groups}\n", self.folder / "answer.json"
        self.run(
            *("ceremony", "sign", "request.json", "-o", where),
            *arguments,
            typed=typed,
            passphrases=passphrases,
        )
        return where
