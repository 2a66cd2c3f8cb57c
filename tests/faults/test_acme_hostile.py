"""A CA that lies, over the wire: nothing is believed, obeyed, or shown as it is; what was there stays."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise, repeat
from pathlib import Path
from typing import Any

import acme_lies
import advising_ca
import canaries
import pytest
from acme_ca_rig import Buyer, pem_key
from acme_door import Door
from acme_estate import ISSUER, AcmeEstate
from acme_fleet import NAME, NEW, AcmeFleet
from acme_forge import Forge
from acme_front import problem
from acme_lies import LOUD, Lie, Scene
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from name_server_ports import HOST
from pebble import Pebble
from rig import Workshop
from wire import Response, Wire

from providers.acme import transport
from providers.errors import Conflict
from providers.issuing import RevokeRequest
from providers.x509 import to_der
from reconciler.events import EventStatus
from reconciler.planning import make_plan
from schemas.revocation import RevocationReason

LONGEST = 1500
"""Characters of what is told of a failure."""
WEEK, DAY = timedelta(days=7), timedelta(days=1)


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    folder = tmp_path_factory.mktemp("pebble")
    with Pebble.running(folder, {"PEBBLE_VA_ALWAYS_VALID": "1"}) as ca:
        yield ca


@pytest.fixture(scope="module")
def forge() -> Forge:
    return Forge.made()


@pytest.fixture
def door(pebble: Pebble, tmp_path: Path) -> Iterator[Door]:
    with Door.before(pebble, tmp_path / "door") as door:
        yield door


@pytest.fixture
def trap(door: Door) -> Iterator[Wire]:
    """A server that the door's TLS key makes as trustworthy as the CA itself."""
    wire = Wire(lambda _: Response(200), lambda request: request.path, door.tls)
    with wire.running():
        yield wire


@pytest.fixture
def scene(door: Door, trap: Wire, forge: Forge) -> Scene:
    """A certificate is issued and installed, and another one is wanted in its place."""
    fleet = _settled(AcmeFleet.at(door)).want_more()
    elsewhere = {
        "port": f"{trap.url}/port",
        "host": f"https://127.0.0.1:{door.wire.port}/host",
        "plain": f"http://localhost:{trap.port}/plain",
        "file": "file:///etc/passwd",
        "login": f"https://localhost:{door.wire.port}@localhost:{trap.port}/login",
        "self": f"{door.wire.url}/dir",
    }
    return Scene(door, fleet, forge, elsewhere)


def _settled(fleet: AcmeFleet) -> AcmeFleet:
    with fleet.haste.everywhere():
        fleet.converge()
    return fleet


def _failed(scene: Scene, told: str) -> None:
    """Try, and expect a failure that is fit to be shown, after which the CA is left alone for a while."""
    fleet, asked = scene.fleet, scene.door.wire.asked
    event = fleet.outcome()
    assert event.status is EventStatus.FAILED
    assert re.search(told, event.message), event.message[:LONGEST]
    assert event.message.isprintable()
    assert len(event.message) < LONGEST
    assert fleet.attempts.error == event.message
    before = len(asked)
    fleet.apply()
    assert len(asked) == before, "asked again at once"


@pytest.mark.parametrize("lie", acme_lies.ALL, ids=str)
def test_a_ca_that_lies_is_not_believed_and_once_it_does_not_it_is(
    scene: Scene, trap: Wire, lie: Lie
) -> None:
    fleet, door = scene.fleet, scene.door
    old = fleet.current(NAME), fleet.installed("a", NAME)
    lie.tell(scene)
    for _ in range(2):
        _failed(scene, lie.told)
        fleet.later()
    assert (fleet.current(NAME), fleet.installed("a", NAME)) == old
    assert fleet.sold == 1
    assert not trap.asked
    door.heal()
    _settled(fleet)
    assert fleet.covers(NEW)
    assert door.wire.counts["newOrder"] <= 1 + 3, "each try costs one order at the most"
    assert len(fleet.spent) >= 2


@pytest.mark.parametrize("what", ["directory", "order", "certificate"])
def test_an_answer_that_drips_in_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def drops() -> Iterator[bytes]:
        while True:
            yield b" "
            time.sleep(0.02)

    monkeypatch.setattr(transport, "_LONGEST", 0.1)
    scene.door.answers[what] = lambda _: Response(200, parts=drops())
    _failed(scene, "has not answered within")
    scene.door.heal()
    monkeypatch.undo()
    _settled(scene.fleet.later())
    assert scene.door.wire.counts["newOrder"] == 2


@pytest.mark.parametrize(
    "wanted",
    ["315360000", "999999999", "9" * 40, "-5", "soon", "Fri, 31 Dec 9999 23:59:59 GMT", LOUD[:12]],
)
@pytest.mark.parametrize(("what", "status"), [("newOrder", 429), ("finalize", 503)])
def test_whatever_a_ca_wants_to_be_left_alone_for_it_is_asked_again_within_a_week(
    scene: Scene, wanted: str, what: str, status: int
) -> None:
    fleet, door = scene.fleet, scene.door
    limit = problem(status, "rateLimited", "too many", Retry_After=wanted)
    door.answer(what, limit)
    _failed(scene, "rateLimited: too many")
    again = fleet.attempts.again_at
    assert again is not None
    assert fleet.now < again <= fleet.now + WEEK
    door.heal()
    assert fleet.insist().outcome().status is EventStatus.DONE
    fleet.replace = frozenset()
    _settled(fleet)
    assert fleet.covers(NEW)


@pytest.mark.parametrize("nonce", ["", "\x7fünï =", "x" * 60_000, "aaaa"])
def test_nonces_of_no_use_end(scene: Scene, nonce: str) -> None:
    for what in ("newNonce", "newAccount", "newOrder", "directory"):
        scene.door.change(what, Replay_Nonce=nonce)
    _failed(scene, "100 nonces in a row were refused|gives no nonce")
    assert len(scene.door.wire.asked) < 500
    scene.door.heal()
    _settled(scene.fleet.later())


def _window(start: str, end: str) -> dict[str, Any]:
    return {"suggestedWindow": {"start": start, "end": end}}


_NINE, _ONE = "9999-12-31T23:59:59", "0001-01-01T00:00:00"
WINDOWS = {
    "backwards": _window("2030-01-02T00:00:00Z", "2030-01-01T00:00:00Z"),
    "in the year 9999": _window(f"{_NINE[:-1]}8Z", f"{_NINE}Z"),
    "after the last moment": _window("2026-01-01T00:00:00Z", f"{_NINE}-12:00"),
    "before the first moment": _window(f"{_ONE}+14:00", "2026-01-01T00:00:00Z"),
    "of all time": _window(f"{_ONE}Z", f"{_NINE}Z"),
    "of one second, long ago": _window("2020-01-01T00:00:00Z", "2020-01-01T00:00:01Z"),
    "in numbers": {"suggestedWindow": {"start": 10**30, "end": float("1e300")}},
    "of text": {"suggestedWindow": LOUD},
}


@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
def test_windows_of_nonsense_renew_nothing_again_and_again(
    door: Door, window: dict[str, Any]
) -> None:
    """Three weeks of nights, in each of which the CA is asked: at most one renewal in a week."""
    directory = door.directory(renewalInfo=f"{door.wire.url}/ari")
    said = {**window, "explanationURL": "javascript:alert(1)"}
    door.answers["directory"] = directory
    door.answers["ari"] = lambda _: Response(200, acme_lies.encoded(said), {"Retry-After": "1"})
    fleet = AcmeFleet.at(door, quotas={"sameNames": {"most": 5, "window": "7d"}})
    _settled(fleet)
    sold = []
    for _ in range(21):
        fleet.now += DAY
        with fleet.haste.everywhere():
            advising_ca.night(fleet)
        if (start := fleet.current(NAME).reserved_at) not in sold:
            sold.append(start)
    assert door.wire.counts["ari"] >= 20
    assert all(later - earlier >= DAY for earlier, later in pairwise(sold))
    assert len(sold) <= 1 + 4
    told = make_plan(fleet.world()).to_json()
    assert "javascript" not in told
    assert all(a.explanation is None for a in fleet.journal.state.advice["le"].certificates)


def test_advice_revocation_and_other_chains_lead_to_no_other_host(scene: Scene, trap: Wire) -> None:
    door, fleet, to = scene.door, scene.fleet, scene.elsewhere["port"]
    door.answers["directory"] = door.directory(renewalInfo=to, revokeCert=to)
    issuer = fleet.issuer(preferred_chain="Nobody")
    current = fleet.current(NAME)
    certificate = to_der((current.certificate or "").encode())
    advice = issuer.advise(certificate)
    assert advice is not None
    assert advice.start is None
    with pytest.raises(Conflict, match="at another host, which is not asked"):
        issuer.revoke(RevokeRequest(certificate, current.serial, RevocationReason.SUPERSEDED))
    door.change("certificate", Link=f'<{to}>;rel="alternate"')
    assert Buyer().buy(issuer, "www.example.com").remarks, "its own chain is taken"
    assert not trap.asked


@pytest.fixture(scope="module")
def account() -> bytes:
    return pem_key()


def test_what_a_ca_shouts_is_shown_as_text_in_every_form(
    pebble: Pebble, workshop: Workshop, account: bytes, tmp_path: Path
) -> None:
    """By the command line, in a repository: output, plans and the ledger hold no key and no command."""
    with (
        AcmeEstate.founded(workshop.runner, tmp_path / "estate") as estate,
        Door.before(pebble, tmp_path / "door") as door,
    ):
        (estate.repository.root / "authorities/ca.yaml").unlink()
        estate.write("config/acme-ca.pem", door.anchors.decode())
        listen = f"{HOST}:{pebble.web_port}"
        estate.write("config/issuers.yaml", ISSUER.format(url=door.url, listen=listen))
        estate.seal("secrets/acme.sops.yaml", {"account": account})
        estate.want("web.example.com")
        door.answer("newOrder", problem(403, LOUD, LOUD * 300))
        ended = estate.apply(GITHUB_ACTIONS="true")
        assert ended.status == 4, ended.err
        assert "Traceback" not in ended.err
        shown = [ended.out, ended.err]
        for form in ("text", "markdown"):
            plan = estate.run("plan", "--format", form, GITHUB_ACTIONS="true")
            shown += [plan.out, plan.err]
        for line in "\n".join(shown).split("\n"):
            assert line.isprintable()
            assert not re.match(r"\s*::|.*##\[", line), line
        left = {"out": "".join(shown).encode(), **canaries.left_behind(estate.repository)}
        secret = canaries.forms("account", load_pem_private_key(account, None))
        assert list(canaries.hits(secret, left)) == []
        door.answer("newOrder", Response(200, parts=repeat(b" " * 65_536)))
        again = ("apply", "--auto-approve", "--replace", "certificate/web")
        endless = estate.run(*again)
        assert "more than 262144 bytes" in endless.out + endless.err
        assert endless.mebibytes < ended.mebibytes + 32
        door.heal()
        done = estate.run(*again)
        assert done.status == 0, done.out + done.err
        assert estate.served().subject is not None
