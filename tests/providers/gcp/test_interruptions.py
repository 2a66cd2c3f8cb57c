"""Whichever request is the one that breaks, before or after it was done: the next run ends as it should."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace

import pytest
from certificate_manager_rig import Rig
from google.cloud import certificate_manager_v1 as api
from wire import Request, Response, Service, Way

from providers.base import Bundle, Installed
from providers.errors import ProviderError
from providers.gcp.manager import CertificateManagerTarget
from providers.x509 import facts

SETTINGS = {"certificateMap": "front", "trustConfig": "clients"}
MOST = 60
"""More requests than any verb makes."""


class Interrupted:
    """A service whose n-th request from now on breaks; `watch` looks at it before each request."""

    def __init__(self, serve: Service, at: int, way: Way) -> None:
        self.serve, self.at, self.way, self.seen = serve, at, way, 0
        self.watch: Callable[[], object] = lambda: None
        self.watched: list[object] = []

    def __call__(self, request: Request) -> Response:
        self.seen += 1
        self.watched.append(self.watch())
        if self.seen != self.at:
            return self.serve(request)
        if self.way is Way.UNANSWERED:
            self.serve(request)
        return Response(503)

    @property
    def broke(self) -> bool:
        return self.seen >= self.at


def interruptions(rig: Rig, way: Way) -> Iterator[Interrupted]:
    """Yield a service that breaks at the first request, then at the second, until none breaks.

    What is there at the beginning is there again each time.
    """
    serve, there = rig.emulator.wire.service, deepcopy(rig.emulator.resources)
    for at in range(1, MOST):
        rig.emulator.resources.clear()
        rig.emulator.resources.update(deepcopy(there))
        interrupted = Interrupted(serve, at, way)
        rig.emulator.wire.service = interrupted
        yield interrupted
        if not interrupted.broke:
            assert at > 3
            return
    pytest.fail("no end of requests")


def hosts(rig: Rig) -> dict[str, list[str]]:
    return {
        each.hostname: [name.rsplit("/", 1)[1] for name in each.certificates]
        for each in rig.emulator.resources.values()
        if isinstance(each, api.CertificateMapEntry)
    }


def again(target: CertificateManagerTarget, rig: Rig, bundle: Bundle) -> Installed:
    """Do what the next run does: observe, and install where what is there is not as it should be."""
    found = next((each for each in target.observe() if each.name == "web"), None)
    return target.install(rig.request("web", bundle, found))


@pytest.mark.parametrize("way", [Way.REFUSED, Way.UNANSWERED], ids=lambda way: way.name)
def test_an_install_that_breaks_anywhere_is_finished_by_the_next_run(rig: Rig, way: Way) -> None:
    target = rig.target(**SETTINGS)
    old, new = rig.bundle("a.example.com", "b.example.com"), rig.bundle("b.example.com")
    target.install(rig.request("web", old))
    for _ in interruptions(rig, way):
        try:
            again(target, rig, new)
        except ProviderError:
            assert "b.example.com" in hosts(rig)
        installed = again(target, rig, new)
        assert list(target.observe()) == [installed]
        assert (installed.sha256, installed.incomplete) == (facts(new.certificate).sha256, ())
        assert hosts(rig) == {"b.example.com": ["web"]}


@pytest.mark.parametrize("way", [Way.REFUSED, Way.UNANSWERED], ids=lambda way: way.name)
def test_a_first_install_that_breaks_anywhere_is_seen_and_finished(rig: Rig, way: Way) -> None:
    target, bundle = rig.target(**SETTINGS), rig.bundle("a.example.com", "b.example.com")
    for _ in interruptions(rig, way):
        try:
            target.install(rig.request("web", bundle))
        except ProviderError:
            unfinished = [each for each in target.observe() if not each.incomplete]
            served = set(hosts(rig)) == {"a.example.com", "b.example.com"}
            assert served or not unfinished  # what lacks an entry does not look finished
        installed = again(target, rig, bundle)
        assert list(target.observe()) == [installed]
        assert hosts(rig) == {"a.example.com": ["web"], "b.example.com": ["web"]}


@pytest.mark.parametrize("way", [Way.REFUSED, Way.UNANSWERED], ids=lambda way: way.name)
def test_a_name_is_served_at_every_moment_while_one_object_takes_the_place_of_another(
    rig: Rig, way: Way
) -> None:
    target, wanted = rig.target(**SETTINGS), rig.request("web-2")
    target.install(replace(wanted, name="web"))
    for interrupted in interruptions(rig, way):
        interrupted.watch = lambda: {"web", "web-2"} & {*hosts(rig)["www.example.com"]}
        with suppress(ProviderError):
            target.install(wanted)
        found = next((each for each in target.observe() if each.name == "web-2"), None)
        target.install(replace(wanted, predecessor=found))
        assert hosts(rig) == {"www.example.com": ["web-2"]}
        assert all(interrupted.watched)


@pytest.mark.parametrize("way", [Way.REFUSED, Way.UNANSWERED], ids=lambda way: way.name)
def test_entries_that_are_put_right_are_put_right_whatever_breaks(rig: Rig, way: Way) -> None:
    target, wanted = rig.target(**SETTINGS), rig.request("web")
    there = rig.target(trustConfig="clients").install(wanted)
    keyless = replace(wanted, bundle=replace(wanted.bundle, private_key=None), predecessor=there)
    for _ in interruptions(rig, way):
        with suppress(ProviderError):
            target.install(keyless)
        served = target.install(keyless)
        assert list(target.observe()) == [served]
        assert hosts(rig) == {"www.example.com": ["web"]}
    assert rig.asked("CreateCertificate", "UpdateCertificate") == ["CreateCertificate"]


@pytest.mark.parametrize("way", [Way.REFUSED, Way.UNANSWERED], ids=lambda way: way.name)
def test_a_removal_that_breaks_anywhere_is_finished_by_the_next_run(rig: Rig, way: Way) -> None:
    target = rig.target(**SETTINGS)
    there = target.install(rig.request("web"))
    for _ in interruptions(rig, way):
        with suppress(ProviderError):
            target.remove(there)
        for found in target.observe():
            target.remove(found)
        assert list(target.observe()) == []
        assert hosts(rig) == {}
