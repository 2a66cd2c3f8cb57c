"""On which hosts a target is."""

import socket

import pytest

from providers.local.hosts import here
from schemas.target import LocalDirectory, TargetSpec


@pytest.mark.parametrize(
    ("hostname", "full", "hosts", "expected"),
    [
        ("web-1", "web-1.example.com", (), True),
        ("web-1", "web-1.example.com", ("web-2", "web-1"), True),
        ("web-1", "web-1.example.com", ("WEB-1",), True),
        ("web-1", "web-1.example.com", ("web-1.example.com",), True),
        ("web-1.example.com", "web-1.example.com", ("web-1",), True),
        ("web-1", "web-1.example.com", ("web-1.example.org",), False),
        ("web-1", "web-1.example.com", ("web-2",), False),
    ],
)
def test_a_host_knows_itself_by_its_short_and_its_full_name(
    monkeypatch: pytest.MonkeyPatch,
    hostname: str,
    full: str,
    hosts: tuple[str, ...],
    expected: bool,
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: hostname)
    monkeypatch.setattr(socket, "getfqdn", lambda: full)
    place = LocalDirectory(path="tls", hosts=hosts)
    assert here(TargetSpec(local_directory=place)) is expected


def test_no_name_server_is_asked_for_short_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getfqdn", lambda: pytest.fail("asked"))
    assert not here(TargetSpec(local_directory=LocalDirectory(path="tls", hosts=("no-such",))))
