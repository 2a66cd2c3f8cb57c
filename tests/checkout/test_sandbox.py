"""`make sandbox`, as a newcomer runs it: one hierarchy in three clouds, and every step of docs/sandbox.md."""

import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WAITING = "The clouds go on until Ctrl-C."


def begin(directory: Path, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        ["make", "--no-print-directory", "sandbox", f"SANDBOX={directory}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "NO_COLOR": "1", **variables},
    )


@pytest.fixture(scope="module")
def sandbox(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Path, str, "subprocess.Popen[str]"]]:
    """Run it until it waits; return its directory, what it printed, and the process."""
    directory = tmp_path_factory.mktemp("sandbox")
    running = begin(directory)
    overdue = threading.Timer(600, os.killpg, (running.pid, signal.SIGKILL))
    overdue.start()
    assert running.stdout is not None
    told = ""
    for line in running.stdout:
        told += line
        if line.startswith(WAITING):
            break
    try:
        assert WAITING in told, told
        yield directory, told, running
    finally:
        overdue.cancel()
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
        running.stdout.close()
        running.wait()


def ports(directory: Path) -> set[int]:
    text = (directory / "sandbox-env").read_text()
    return {int(port) for port in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", text)}


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_one_certificate_is_the_same_in_all_places(
    sandbox: tuple[Path, str, "subprocess.Popen[str]"],
) -> None:
    _, told, _ = sandbox
    rows = re.findall(r"^www +(\S+(?: \S+)*) {2,}([0-9a-f]{16}) ", told, re.MULTILINE)
    assert [place for place, _ in rows] == [
        "ACM eu-west-1",
        "ACM us-east-1",
        "Certificate Manager",
        "Key Vault",
        "this machine",
    ]
    assert len({sha256 for _, sha256 in rows}) == 1


def test_what_google_waits_for_is_told_and_then_nothing_is_left(
    sandbox: tuple[Path, str, "subprocess.Popen[str]"],
) -> None:
    _, told, _ = sandbox
    assert "create them: _acme-challenge.status.example.com. CNAME" in told
    assert told.count("No changes. 5 certificates match") == 1
    assert told.count("legacy.example.com  ") >= 4, "others' certificates are discovered"


def test_the_walk_through_shows_what_happens(
    sandbox: tuple[Path, str, "subprocess.Popen[str]"],
) -> None:
    directory, _, _ = sandbox
    text = (ROOT / "docs" / "sandbox.md").read_text()
    script = "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[1:])
    script = script.replace("/tmp/sandbox", str(directory))
    done = subprocess.run(
        ["sh", "-euc", script.replace("cf apply", "cf apply --auto-approve")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = done.stdout + done.stderr
    assert re.findall(r"^Apply complete: (.*)", told, re.MULTILINE) == [
        "1 replaced, 5 installed.",
        "1 replaced, 3 installed, 2 removed.",
        "1 replaced, 5 installed.",
        "1 adopted.",
        "1 removed.",
        *3 * ["1 replaced, 1 installed."],
    ]
    moves = re.findall(r"issuerRef +(?:= )(.*)", told)
    assert list(dict.fromkeys(moves)) == [
        '"web" -> "public"',
        '"public" -> "company"',
        '"company" -> "web"',
    ]
    assert "stays until nothing uses it" in told
    assert "No changes. 6 certificates match" in told


def test_ctrl_c_ends_it_and_leaves_nothing_running(
    sandbox: tuple[Path, str, "subprocess.Popen[str]"],
) -> None:
    directory, _, running = sandbox
    served = ports(directory)
    assert len(served) == 6
    assert all(map(answers, served))
    os.killpg(running.pid, signal.SIGINT)
    running.wait(timeout=30)
    assert not any(map(answers, served))
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_it_ends_by_itself_and_before_apply_when_asked(tmp_path: Path) -> None:
    ended = begin(tmp_path / "s", SANDBOX_ONCE="1", SANDBOX_APPLY="0")
    told, _ = ended.communicate(timeout=120)
    assert ended.returncode == 0, told
    assert "6 to issue (2 CAs), 12 to install" in told
    assert "Apply complete" not in told
    assert not any(map(answers, ports(tmp_path / "s")))
