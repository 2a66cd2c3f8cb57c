"""What OCSP responses tell is what the ledger knows, whatever happened before."""

import os
from dataclasses import replace

from cryptography.x509 import ocsp
from fleet import Fleet
from fleet_sights import issuances
from history import History, failed
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.ledger.records import LedgerState, Status
from reconciler.planning import pending
from schemas.authority import OcspSettings

ASKED = OcspSettings()
STEP = st.tuples(st.sampled_from(sorted(History.verbs)), st.integers(0, 20), st.integers(0, 20))
FIRST = st.tuples(st.just("add"), st.integers(0, 4), st.integers(0, 20))
HISTORY = st.tuples(st.lists(FIRST, min_size=1, max_size=5), st.lists(STEP, max_size=16))
SWITCHES = st.lists(st.booleans(), min_size=2, max_size=2)
LAWS = settings(
    deadline=None,
    max_examples=int(os.environ.get("EXAMPLES", "40")),
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def ask(fleet: Fleet, asked: bool) -> None:
    """Ask every CA to answer, or none."""
    want = ASKED if asked else None
    fleet.cas = {name: replace(ca, ocsp=want) for name, ca in fleet.cas.items()}


def known(state: LedgerState, fleet: Fleet) -> dict[str, str]:
    """What is to be told of each serial, but of a CA whose own certificate has ended."""
    found = {}
    for issuance in issuances(state):
        request = issuance.request
        record = state.authorities.get(request.issuer or "")
        signing = record.issued(request.issuer_generation or 0) if record else None
        live = issuance.status in (Status.ISSUED, Status.REVOKED) and issuance.not_after > fleet.now
        if live and signing is not None and signing.not_after > fleet.now:
            found[issuance.serial] = "REVOKED" if issuance.revoked else "GOOD"
    return found


def told(fleet: Fleet) -> dict[str, str]:
    """What is published of each serial."""
    published: dict[str, str] = {}
    for tree in fleet.publisher.trees.values():
        for content in tree.files.values():
            response = ocsp.load_der_ocsp_response(content)
            published[f"{response.serial_number:x}"] = response.certificate_status.name
    return published


@LAWS
@given(HISTORY, SWITCHES)
def test_what_is_told_is_what_the_ledger_knows_after_a_clean_apply(
    steps: tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]], switches: list[bool]
) -> None:
    history = History()
    fleet = history.fleet
    start, rest = steps
    for asked, part in zip(switches, (start, rest), strict=True):
        ask(fleet, asked)
        for step in (*part, ("reconcile", 0, 0)):
            history.step(*step)
    ask(fleet, True)
    history.heal()
    assert failed(history.apply()) == []
    assert pending(fleet.plan().changes) == ()
    wanted, published = known(fleet.journal.state, fleet), told(fleet)
    assert {s: published.get(s) for s in wanted} == wanted
    assert not published.keys() - fleet.journal.used, "nobody issued what is told of"
