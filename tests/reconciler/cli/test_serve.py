"""`certform serve`: what is published can be looked at on this machine, or it says why not."""

import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

from command_line import Repository

PUBLISH = '  publish: {to: {directory: %s}, baseURL: "http://pki.example.com/pki"}\n'


def test_what_the_project_publishes_is_shown_until_it_is_interrupted(applied: Repository) -> None:
    project, public = applied.root / "certform.yaml", applied.root.parent / "public"
    project.write_text(project.read_text().rstrip("\n") + "\n" + PUBLISH % public)
    applied.run("apply", "--auto-approve")
    program = [sys.executable, "-P", "-m", "reconciler", "-C", str(applied.root), "serve"]
    environment = applied.environment
    with subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, text=True) as serving:
        assert serving.stdout is not None
        url = serving.stdout.readline().strip()
        published = {path.name: path for path in public.glob("*.cr*")}
        assert len(published) >= 2
        for name, path in published.items():
            with urllib.request.urlopen(f"{url}{name}", timeout=10) as answer:
                assert answer.read() == path.read_bytes()
        serving.send_signal(signal.SIGINT)
        assert serving.wait(20) == 0
    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/pki/")


def test_who_publishes_nothing_is_told_what_to_do(applied: Repository) -> None:
    done = applied.run("serve", code=1)
    assert "the Project publishes nothing" in done.stderr
    assert "--directory" in done.stderr


def test_a_port_that_is_taken_is_told(applied: Repository, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        done = applied.run("serve", "--port", port, "--directory", tmp_path, code=1)
    assert f"cannot listen on port {port}" in done.stderr
