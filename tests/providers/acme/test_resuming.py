"""An order is gone on with from wherever a run stopped, and nothing is finalized twice."""

import itertools
import json
import time
from collections.abc import Callable
from dataclasses import replace

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer, Keyring, bought, pem_key
from acme_front import Front, problem, purpose
from name_server_ports import HOST
from wire import Request, Response, Way, free_port

from providers import failpoints
from providers.acme.issuer import AcmeIssuer
from providers.errors import Ambiguous, NotFound, Rejected, Unproved
from providers.issuing import IssueRequest, Pending

POINTS = (
    *("account", "ordered", "noted", "presented", "answered"),
    *("ready", "finalized", "valid", "downloaded"),
)


def _gone_on_with(request: IssueRequest, buyer: Buyer) -> IssueRequest:
    """Return what the next run asks for: it knows what was noted, and nothing else."""
    return replace(request, resume=buyer.noted[-1] if buyer.noted else None)


@pytest.mark.parametrize("point", POINTS)
def test_a_run_that_dies_anywhere_costs_no_certificate(
    front: Front, buyer: Buyer, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    keyring = Keyring({"account": pem_key()})
    request = buyer.ask(f"{point}.example.com", f"{point}.example.org")
    dying = failpoints._Failpoint(f"acme.{point}", 1, "raise", None, itertools.count(1))
    monkeypatch.setattr(failpoints, "_FAILPOINT", dying)
    with pytest.raises(OSError, match=f"failpoint acme.{point}"):
        acme_ca_rig.issuer(front, keyring).issue(request)
    before = front.wire.counts["newOrder"]
    resumed = _gone_on_with(request, buyer)
    try:
        bought(acme_ca_rig.issuer(front, keyring), resumed)
    except Unproved:  # the CA has looked when nobody answered any more: it is ordered anew
        assert point == "answered"
        resumed = replace(resumed, resume=None)
        bought(acme_ca_rig.issuer(front, keyring), resumed)
    assert front.wire.counts["finalize"] == 1
    assert front.wire.counts["newOrder"] == before + (0 if resumed.resume else 1)


@pytest.mark.parametrize(
    "what",
    ["newAccount", "newOrder", "authorization", "challenge", "order", "finalize", "certificate"],
)
def test_an_answer_that_is_lost_costs_no_certificate(front: Front, buyer: Buyer, what: str) -> None:
    issuer = acme_ca_rig.issuer(front)
    issuer.sleep = lambda _: None
    front.wire.fail(what, Way.UNANSWERED)
    buyer.buy(issuer, f"{what.lower()}.example.net")
    assert front.wire.counts["finalize"] == 1
    assert front.wire.counts["newOrder"] == (2 if what == "newOrder" else 1)


@pytest.mark.parametrize("way", [Way.DROPPED, Way.REFUSED])
def test_an_order_that_was_not_finalized_waits_for_the_next_run(
    front: Front, buyer: Buyer, way: Way
) -> None:
    keyring = Keyring({"account": pem_key()})
    request = buyer.ask("dropped.example.net")
    front.wire.fail("finalize", way, Response(502))
    with pytest.raises(Ambiguous, match="the next run looks at the order"):
        acme_ca_rig.issuer(front, keyring).issue(request)
    bought(acme_ca_rig.issuer(front, keyring), _gone_on_with(request, buyer))
    assert front.wire.counts["newOrder"] == 1


def test_a_ca_that_asks_for_longer_than_a_run_waits_is_looked_at_once_more(
    front: Front, buyer: Buyer
) -> None:
    def processing(request: Request) -> Response | None:
        if purpose(request) not in ("finalize", "order") or not front.wire.counts["finalize"]:
            return None
        done = front.passed(request)
        later = done.body.replace(b'"valid"', b'"processing"')
        return Response(done.status, later, {**done.headers, "Retry-After": "86400"})

    front.instead = processing
    issuer, slept = acme_ca_rig.issuer(front), list[float]()
    issuer.sleep = slept.append
    request = buyer.ask("later.example.net")
    answer = issuer.issue(request)
    assert isinstance(answer, Pending)
    assert answer.resume == buyer.noted[-1]
    assert "processing" in answer.detail
    assert [wait for wait in slept if wait > 5] == [15]
    front.instead = lambda _: None
    bought(issuer, _gone_on_with(request, buyer))
    assert front.wire.counts["newOrder"] == front.wire.counts["finalize"] == 1


def test_a_ca_that_finishes_nothing_in_time_is_hardly_waited_for_any_more(
    front: Front, buyer: Buyer
) -> None:
    def processing(request: Request) -> Response | None:
        if purpose(request) not in ("finalize", "order"):
            return None
        done = front.passed(request)
        later = done.body.replace(b'"valid"', b'"processing"')
        return Response(done.status, later, done.headers)

    issuer, slept = acme_ca_rig.issuer(front), list[float]()
    issuer.sleep, issuer.ticks = slept.append, lambda: time.monotonic() + sum(slept)
    front.instead = processing
    waited = []
    for number in range(5):
        before = sum(slept)
        assert isinstance(issuer.issue(buyer.ask(f"slow{number}.example.net")), Pending)
        waited.append(sum(slept) - before)
    assert min(waited[:3]) > 30
    assert max(waited[3:]) < 5
    front.instead = lambda _: None
    bought(issuer, buyer.ask("quick.example.net"))
    front.instead = processing
    before = sum(slept)
    assert isinstance(issuer.issue(buyer.ask("slow.example.net")), Pending)
    assert sum(slept) - before > 30


def test_an_order_that_is_gone_is_given_up(front: Front, buyer: Buyer) -> None:
    keyring = Keyring({"account": pem_key()})
    issuer = acme_ca_rig.issuer(front, keyring)
    request = buyer.ask("gone.example.net")
    bought(issuer, request)
    with pytest.raises(NotFound):
        issuer.issue(replace(request, resume=f"{front.wire.url}/my-order/nothing-of-the-kind"))
    front.instead = lambda asked: (
        problem(403, "unauthorized") if asked.path.startswith("/my-order/") else None
    )
    with pytest.raises(NotFound, match="not this account's"):
        issuer.issue(_gone_on_with(request, buyer))


def test_an_order_for_other_names_is_given_up(front: Front, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(front)
    buyer.buy(issuer, "mine.example.net")
    other = buyer.ask("other.example.net")
    with pytest.raises(Rejected, match="for other names than were asked for"):
        issuer.issue(_gone_on_with(other, buyer))


def _unproved(front: Front, keyring: Keyring) -> AcmeIssuer:
    """Return an issuer whose solver listens where nobody looks."""
    nowhere = {"http01": {"standalone": {"listen": f"{HOST}:{free_port()}"}}}
    return acme_ca_rig.issuer(front, keyring, solvers=(nowhere,))


_NOBODY = r"bad\.example\.net \(http-01: connection: "


def test_names_that_fail_are_told_in_the_words_of_the_ca(front: Front, buyer: Buyer) -> None:
    keyring = Keyring({"account": pem_key()})
    request = buyer.ask("bad.example.net", "worse.example.net")
    with pytest.raises(Unproved, match=_NOBODY) as told:
        _unproved(front, keyring).issue(request)
    assert set(told.value.names) == {"bad.example.net", "worse.example.net"}
    # a run that died before it could write that down learns the same from the order
    with pytest.raises(Unproved, match=_NOBODY) as again:
        acme_ca_rig.issuer(front, keyring).issue(_gone_on_with(request, buyer))
    assert set(again.value.names) == set(told.value.names)
    assert front.wire.counts["newOrder"] == 1


Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    ("what", "change", "told"),
    [
        ("newOrder", lambda body: body.replace(b"shy.", b"sly."), "for other names"),
        ("authorization", lambda body: body.replace(b'"shy.', b'"sly.'), "was not asked for"),
        ("newOrder", lambda body: body.replace(b"https://", b"http://"), "no order"),
        ("newOrder", lambda body: body.replace(b'"pending"', b'"unheard of"'), "no order"),
        ("newOrder", lambda _: b"[" * 100_000, "no order"),
        ("authorization", lambda body: body.replace(b'"token": "', b'"token": "../'), "base64url"),
        ("authorization", lambda body: body.replace(b"http-01", b"http-09"), "takes no http-01"),
        ("authorization", lambda _: b'{"status": 5}', "no authorization"),
        ("certificate", lambda _: b"nothing in PEM", "no chain of 1 to 10 certificates"),
        ("certificate", lambda body: body * 9, "no chain of 1 to 10 certificates"),
        ("certificate", lambda body: body.replace(b"M", b"N"), "no chain of 1 to 10 certificates"),
    ],
)
def test_what_a_ca_may_not_answer_is_refused(
    front: Front, buyer: Buyer, what: str, change: Change, told: str
) -> None:
    def changed(request: Request) -> Response | None:
        if front.sent[-1][0] != what:
            return None
        passed = front.passed(request)
        return replace(passed, body=change(passed.body))

    front.instead = changed
    with pytest.raises(Exception, match=told) as refused:
        acme_ca_rig.issuer(front).issue(buyer.ask("shy.example.net"))
    assert type(refused.value).__module__.startswith("providers.")
    assert front.wire.counts["finalize"] == (1 if what == "certificate" else 0)


def test_an_address_is_the_same_however_a_ca_writes_it(front: Front, buyer: Buyer) -> None:
    written = {"type": "ip", "value": "0:0:0:0:0:0:0:1"}
    proved = json.dumps({"identifier": written, "status": "valid", "challenges": []})
    front.instead = lambda asked: (
        Response(200, proved.encode()) if purpose(asked) == "authorization" else None
    )
    issuer = acme_ca_rig.issuer(front)
    issuer.patience = 0
    answer = issuer.issue(buyer.ask(ip_addresses=("::1",)))
    assert isinstance(answer, Pending)  # Pebble knows that nothing was proved


def test_a_run_that_waits_tells_that_it_is_alive(front: Front, buyer: Buyer) -> None:
    """The ledger's lock is kept by it: proving many names takes longer than a lock lives."""
    issuer = acme_ca_rig.issuer(front)
    told: list[int] = []
    issuer.sleep = lambda _: told.append(len(buyer.noted))
    buyer.buy(issuer, "alive.example.net", "well.example.net")
    assert told
    assert told == sorted(set(told))  # once more before each sleep
    assert len(set(buyer.noted)) == 1


def test_what_it_took_to_present_is_not_taken_off_the_time_of_the_ca(
    front: Front, buyer: Buyer
) -> None:
    """DNS may take minutes: what was presented would be gone before the CA could look."""
    issuer, ticks = acme_ca_rig.issuer(front), [0.0]
    issuer.ticks = lambda: ticks[0]

    def slow(name: str) -> None:
        buyer.noted.append(name)
        ticks[0] += 3600 * (len(buyer.noted) <= 2)  # noting the order, and presenting

    bought(issuer, replace(buyer.ask("slow.example.net"), checkpoint=slow))
    assert front.wire.counts["newOrder"] == 1
