"""What a CA refuses, and how it is told: what kind of failure it is, and what to do."""

import json
from datetime import UTC, datetime
from typing import Any

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer
from acme_front import Front, problem

from providers.acme import answers
from providers.acme.answers import Problem
from providers.acme.errors import describe, refusal, retry_after
from providers.acme.transport import Answer
from providers.errors import (
    Ambiguous,
    Conflict,
    Denied,
    NotFound,
    ProviderError,
    QuotaExceeded,
    Rejected,
    Throttled,
)

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)


def _answer(status: int, said: Any = None, **headers: str) -> Answer:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("https://ca.example/order", status, given, body)


def _said(code: str, detail: str = "in its own words") -> dict[str, str]:
    return {"type": f"urn:ietf:params:acme:error:{code}", "detail": detail}


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint"),
    [
        (401, "unauthorized", Denied, ""),
        (400, "accountDoesNotExist", Denied, ""),
        (403, "externalAccountRequired", Denied, "write `externalAccountBinding`"),
        (403, "userActionRequired", Denied, "somebody has to visit"),
        (403, "orderNotReady", Conflict, ""),
        (409, "alreadyReplaced", Conflict, ""),
        (400, "alreadyRevoked", Conflict, ""),
        (500, "serverInternal", Ambiguous, ""),
        (403, "caa", Rejected, "a CAA record of the name has to name this CA"),
        (400, "dns", Rejected, "could not look the name up"),
        (400, "connection", Rejected, "could not reach the name from outside"),
        (400, "rejectedIdentifier", Rejected, "does not issue for that name"),
        (400, "badCSR", Rejected, "such as this CA issues for"),
        (400, "invalidProfile", Rejected, "`profile`"),
        (400, "unheardOf", Rejected, ""),
        (404, "malformed", NotFound, ""),
        (429, "rateLimited", QuotaExceeded, ""),
    ],
)
def test_each_problem_is_a_failure_of_its_kind_that_says_what_to_do(
    status: int, code: str, kind: type[ProviderError], hint: str
) -> None:
    told = refusal(_answer(status, _said(code)))
    assert isinstance(told, kind)
    assert str(told).startswith(f"ca.example: {code}: in its own words")
    assert hint in str(told)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Denied),
        (404, NotFound),
        (409, Conflict),
        (500, Ambiguous),
        (502, Ambiguous),
        (418, Rejected),
    ],
)
def test_a_refusal_without_a_problem_goes_by_its_status(
    status: int, kind: type[ProviderError]
) -> None:
    for body in (b"", b"<html>oops</html>", b"[]", b"[" * 50_000, b'{"type": 5}'):
        told = refusal(_answer(status, body))
        assert type(told) is kind
        assert str(told) == f"ca.example: HTTP {status}"


def test_a_limit_says_when_to_ask_again() -> None:
    for status, said in ((429, _said("rateLimited")), (503, None), (429, None)):
        told = refusal(_answer(status, said, Retry_After="1234"))
        assert isinstance(told, Throttled)
        assert told.retry_after == 1234
    assert isinstance(refusal(_answer(503)), Throttled)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("Fri, 27 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-5", None),
        ("99999999999999999999", None),
        ("Fri, 99 Nov 2026 12:01:00 GMT", None),
        ("٣", None),
        ("", None),
    ],
)
def test_when_to_ask_again_is_read_in_both_forms(written: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": written}, NOW) == seconds


def test_the_words_of_a_ca_are_made_fit_to_be_shown() -> None:
    loud = Problem(type="x", detail="a\x1b[31mred\n\u202eback\x00\ud800")
    assert describe(loud) == "x: a [31mred back"
    assert len(describe(Problem(detail="x" * 100_000))) < 500
    inner = [
        {**_said("dns", f"no {n}"), "identifier": {"type": "dns", "value": f"n{n}.example"}}
        for n in range(7)
    ]
    told = describe(Problem.model_validate({**_said("compound"), "subproblems": inner}))
    assert told.startswith(
        "compound: in its own words; n0.example: dns: no 0; n1.example: dns: no 1"
    )
    assert told.endswith("and 2 more")


def test_a_limit_of_a_ca_is_not_waited_for_beyond_a_minute(front: Front, buyer: Buyer) -> None:
    slept: list[float] = []
    issuer = acme_ca_rig.issuer(front)
    issuer.sleep = slept.append
    refused = [
        problem(429, "rateLimited", "too many new orders", Retry_After="5"),
        problem(429, "rateLimited", "too many new orders", Retry_After="10800"),
    ]
    front.instead = lambda request: (
        refused.pop(0) if request.path == "/order-plz" and refused else None
    )
    with pytest.raises(Throttled, match="too many new orders") as told:
        issuer.issue(buyer.ask("many.example.com"))
    assert told.value.retry_after == 10800
    assert [wait for wait in slept if wait >= 5] == [5]


def test_nonces_that_are_never_good_end(front: Front, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(front)
    issuer.sleep = lambda _: None
    front.instead = lambda request: (
        problem(400, "badNonce", Replay_Nonce="bm9uY2Utbm9uY2U")
        if request.method == "POST"
        else None
    )
    ticks = iter(range(0, 10**6, 50))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tenacity.time.monotonic", lambda: next(ticks))
        with pytest.raises(ProviderError, match="badNonce"):
            issuer.issue(buyer.ask("never.example.com"))


def test_what_a_ca_has_none_of_may_be_null(front: Front, buyer: Buyer) -> None:
    front.instead = front.directory(meta=None, renewalInfo=None)
    buyer.buy(acme_ca_rig.issuer(front), "null.example.com")


@pytest.mark.parametrize("url", ["https://[", "https://localhost:x/", "https://local\u001bhost/"])
def test_an_address_that_is_none_is_told(front: Front, buyer: Buyer, url: str) -> None:
    front.instead = front.directory(newAccount=url)
    with pytest.raises(Conflict) as told:
        acme_ca_rig.issuer(front).issue(buyer.ask("a.example.com"))
    assert str(told.value).isprintable()


def test_what_a_ca_called_a_field_is_not_repeated() -> None:
    with pytest.raises(Conflict) as told:
        answers.read(answers.Meta, b'{"profiles": {"a\\u001b[31m": 5}}', "directory")
    assert str(told.value) == "the CA's answer is no directory (RFC 8555): profiles"


def test_a_profile_is_one_that_the_ca_offers(front: Front, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(front, profile="tlsserver")
    with pytest.raises(Rejected, match="offers no profiles: take `profile: tlsserver` out"):
        issuer.issue(buyer.ask("p.example.com"))
    front.instead = front.directory(meta={"profiles": {"classic": "x", "shortlived": "y"}})
    with pytest.raises(Rejected, match="no profile tlsserver, but classic, shortlived"):
        acme_ca_rig.issuer(front, profile="tlsserver").issue(buyer.ask("p.example.com"))
    assert not front.wire.counts["newOrder"]
    buyer.buy(acme_ca_rig.issuer(front, profile="shortlived"), "p.example.com")
    (ordered,) = front.payloads("newOrder")
    assert ordered["profile"] == "shortlived"
