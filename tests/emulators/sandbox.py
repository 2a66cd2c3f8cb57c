"""Serve three clouds and two CAs while a command runs in a fresh repository among them, then until Ctrl-C.

    python tests/emulators/sandbox.py REPOSITORY DIRECTORY COMMAND...

The repository is copied to DIRECTORY (when that is empty text, to one that is gone afterwards), with the
addresses of these clouds in its targets. `sandbox-env` in there leads another terminal to them. With
SANDBOX_ONCE=1 everything ends with the command. Nothing outlives this process, nor it whoever began it.
"""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bystander import Bystander
from cas_of_others import CasOfOthers
from clouds import Clouds

REGIONS = ("eu-west-1", "us-east-1")
WISH = ".sandbox/dns-records"
"""The file whose appearance tells that the DNS records which anybody waits for were created."""
CERTFORM = Path(sys.executable).parent / "certform"


def main(repository: str, directory: str, *command: str) -> int:
    """Return the command's exit status, 0 for an end by Ctrl-C after it."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job begins without it
    with place(directory) as root:
        shutil.copytree(repository, root, dirs_exist_ok=True)
        with (
            Clouds.running(root / ".sandbox") as clouds,
            CasOfOthers.running(root / ".sandbox") as cas,
        ):
            targets = root / "config" / "targets.yaml"
            targets.write_text(clouds.address(targets.read_text()))
            key = root / ".sandbox" / "age-key.txt"
            led = {**clouds.environment(), **cas.environment()}
            variables = {**led, "SOPS_AGE_KEY_FILE": str(key)}
            Bystander(variables).put_strangers(*REGIONS)
            write_environment(root, variables)
            threading.Thread(target=grant, args=(root, clouds), daemon=True).start()
            status = run(root, command, variables)
            if status == 0 and os.environ.get("SANDBOX_ONCE") != "1":
                serve(root)
            return status


@contextmanager
def place(directory: str) -> Iterator[Path]:
    """Yield an empty directory: the one that is named, or one for the time being."""
    if directory:
        root = Path(directory).resolve()
        root.mkdir(parents=True, exist_ok=True)
        if any(root.iterdir()):
            sys.exit(f"sandbox: {root} is not empty")
        yield root
        return
    with tempfile.TemporaryDirectory(prefix="certform-sandbox-") as name:
        yield Path(name)


def write_environment(root: Path, variables: Mapping[str, str]) -> None:
    """Write what another shell sources."""
    exports = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    place, program, python = (shlex.quote(str(each)) for each in (root, CERTFORM, sys.executable))
    lookout = shlex.quote(str(Path(__file__).with_name("look.py")))
    functions = [
        f'cf() {{ {program} --chdir {place} "$@"; }}',
        f'py() {{ {python} "$@"; }}',
        f"look() {{ {python} {lookout} {place}; }}",
        f"create_dns_records() {{ : > {place}/{WISH}; while [ -e {place}/{WISH} ]; do sleep 0.1; done; }}",
    ]
    (root / "sandbox-env").write_text("\n".join([*exports, *functions, ""]))


def grant(root: Path, clouds: Clouds) -> None:
    """Let Google issue what waits for DNS records, whenever somebody says that they are there."""
    while True:
        if (root / WISH).exists():
            for name in clouds.gcp.waiting():
                clouds.gcp.provision(name)
            (root / WISH).unlink()
        time.sleep(0.1)


def run(root: Path, command: Sequence[str], variables: Mapping[str, str]) -> int:
    try:
        return subprocess.run(
            [*command, root], check=False, env={**os.environ, **variables}
        ).returncode
    except KeyboardInterrupt:
        return 130


def serve(root: Path) -> None:
    """Wait for Ctrl-C, or for the end of whoever began this."""
    sys.stdout.write(
        "\nThe clouds go on until Ctrl-C. In another terminal:\n\n"
        f"    . {shlex.quote(str(root))}/sandbox-env\n"
        "    cf plan      # certform, in this repository\n"
        "    look         # what the clouds hold, by their own SDKs\n"
    )
    sys.stdout.flush()
    parent = os.getppid()
    try:
        while os.getppid() == parent:
            time.sleep(1)
    except KeyboardInterrupt:
        sys.stdout.write("\nThe clouds are gone, and all that was in them.\n")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
