"""A real nginx serves what was installed, refuses what is broken, and never loses a certificate."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted
from wire import free_port

from providers.abilities import Staged
from providers.base import Bundle, Installed
from providers.conformance import request, sound
from providers.errors import ProviderError, Rejected
from providers.local import handshake
from providers.local.directory import LocalDirectoryTarget
from schemas.target import Argv, Verify

CONFIGURATION = """
daemon off;
master_process on;
worker_processes 1;
error_log {root}/error.log;
pid {root}/nginx.pid;
events {{ worker_connections 64; }}
http {{
  access_log off;
  {temporary}
  server {{
    listen 127.0.0.1:{port} ssl;
    server_name www.example.com;
    ssl_certificate {root}/tls/web/current/fullchain.pem;
    ssl_certificate_key {root}/tls/web/current/privkey.pem;
    {extra}
  }}
}}
"""
KINDS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def nginx(tmp_path: Path, port: int, require: Callable[[str], str]) -> Argv:
    program = require("nginx")
    argv = (program, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"))
    configure(tmp_path, port)
    return argv


def configure(root: Path, port: int, extra: str = "") -> None:
    temporary = "\n  ".join(f"{kind}_temp_path {root}/{kind};" for kind in KINDS)
    text = CONFIGURATION.format(root=root, port=port, temporary=temporary, extra=extra)
    (root / "nginx.conf").write_text(text)


@contextmanager
def running(argv: Argv, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            pytest.fail(f"nginx ended with {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("nginx does not listen")


@pytest.fixture
def served_target(make_target: MakeTarget, nginx: Argv, port: int) -> LocalDirectoryTarget:
    """The target whose consumer is nginx: check, reload and a handshake."""
    return make_target(
        check=(*nginx, "-t"),
        reload=(*nginx, "-s", "reload"),
        verify=Verify(connect=f"127.0.0.1:{port}", timeout=timedelta(seconds=20)),
    )


def shown(port: int) -> str:
    return handshake.served(f"127.0.0.1:{port}", "www.example.com")


def test_a_rotation_is_served_after_the_reload(
    make_target: MakeTarget,
    served_target: LocalDirectoryTarget,
    nginx: Argv,
    port: int,
    wanted: Wanted,
) -> None:
    first = make_target().install(wanted())
    with running(nginx, port):
        assert shown(port) == first.sha256
        for _ in range(3):
            first = served_target.install(wanted(predecessor=first))
            assert shown(port) == first.sha256


def test_a_broken_configuration_brings_the_predecessor_back_and_it_is_still_served(
    make_target: MakeTarget,
    served_target: LocalDirectoryTarget,
    nginx: Argv,
    port: int,
    wanted: Wanted,
    tmp_path: Path,
) -> None:
    first = make_target().install(wanted())
    with running(nginx, port):
        configure(tmp_path, port, extra="no_such_directive on;")
        with pytest.raises(Rejected, match="no_such_directive"):
            served_target.install(wanted(predecessor=first))
        assert served_target.observe() == (first,)
        assert shown(port) == first.sha256
        configure(tmp_path, port)
        second = served_target.install(wanted(predecessor=first))
        assert shown(port) == second.sha256


def test_a_reload_that_does_nothing_is_seen_by_the_handshake(
    make_target: MakeTarget,
    nginx: Argv,
    port: int,
    wanted: Wanted,
) -> None:
    first = make_target().install(wanted())
    with running(nginx, port):
        lazy = make_target(
            reload=("true",),
            verify=Verify(connect=f"127.0.0.1:{port}", timeout=timedelta(milliseconds=200)),
        )
        with pytest.raises(Rejected, match=f"but serves {first.sha256}"):
            lazy.install(wanted(predecessor=first))
        assert lazy.observe() == (first,)


def test_a_server_that_is_down_is_told(make_target: MakeTarget, port: int, wanted: Wanted) -> None:
    target = make_target(
        verify=Verify(connect=f"127.0.0.1:{port}", timeout=timedelta(milliseconds=50))
    )
    with pytest.raises(Rejected, match="the handshake fails: Connection refused"):
        target.install(wanted())
    assert target.observe() == ()


def test_one_reload_serves_a_whole_batch(
    make_target: MakeTarget,
    served_target: LocalDirectoryTarget,
    nginx: Argv,
    port: int,
    wanted: Wanted,
) -> None:
    before = make_target().install(wanted())
    with running(nginx, port):
        requests = [wanted(predecessor=before), *(wanted(f"other-{n}") for n in range(20))]
        staged = [sound(each, Staged) for each in served_target.stage(requests)]
        installed = [sound(each, Installed) for each in served_target.switch(staged)]
        served_target.activate()
        results = served_target.verify(installed[:1])
        assert not any(isinstance(each, ProviderError) for each in results)
        served_target.settle(installed)
        assert shown(port) == installed[0].sha256


def test_a_wildcard_is_asked_for_by_a_name_it_covers(
    make_target: MakeTarget, nginx: Argv, port: int, bundle: Callable[..., Bundle]
) -> None:
    first = make_target().install(request("web", bundle("*.example.com")))
    assert first.dns_name == "*.example.com"
    with running(nginx, port):
        target = make_target(verify=Verify(connect=f"127.0.0.1:{port}"))
        assert list(target.verify([first])) == [first]


def test_no_worker_outlives_its_test(
    nginx: Argv,
    make_target: MakeTarget,
    port: int,
    wanted: Wanted,
) -> None:
    make_target().install(wanted())
    with running(nginx, port) as process:
        pass
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_a_certificate_that_nginx_still_names_comes_back_and_was_served_all_the_time(
    make_target: MakeTarget,
    served_target: LocalDirectoryTarget,
    nginx: Argv,
    port: int,
    wanted: Wanted,
) -> None:
    first, other = (make_target().install(wanted(name)) for name in ("web", "other"))
    with running(nginx, port):
        for named in (first, other):
            served_target.withdraw(named)
        with pytest.raises(Rejected, match=r"cannot load certificate.*/web/current"):
            served_target.activate()
        assert shown(port) == first.sha256
        served_target.reinstate(first)
        served_target.activate()
        served_target.remove(other)
        assert shown(port) == first.sha256
    assert make_target().observe() == (first,)
