"""However long CAs and leaves live and however rarely anybody looks: nothing is cut short by its CA."""

from datetime import timedelta

from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import issuances
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from reconciler.events import EventStatus
from reconciler.ledger.records import Status
from reconciler.selection import Selection

NIGHTS = st.lists(st.integers(1, 60), min_size=4, max_size=20)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(2, 90), st.integers(3, 300), st.integers(4, 900), NIGHTS)
def test_what_a_ca_issues_lives_its_whole_life(
    leaf: int, services: int, root: int, nights: list[int]
) -> None:
    assume(services * 2 >= leaf * 3)
    assume(root * 2 >= services * 3)
    cas = {"root": Ca(days=root), "services": Ca("root", days=services)}
    web = Leaf("services", days=leaf, renew_before=leaf // 3)
    fleet = Fleet(cas=cas, leaves={"web": web}, publish=False).converge()
    fleet.pinned = True
    for days in nights:
        fleet.wait(days)
        events = fleet.apply(Selection(due_only=True))
        assert [e for e in events if e.status is not EventStatus.DONE] == []
        current = fleet.current("web")
        assert current.not_after > fleet.now
        for issuance in issuances(fleet.journal.state):
            life = issuance.not_after - issuance.not_before + timedelta(seconds=1)
            assert issuance.status is Status.ISSUED
            assert life == timedelta(seconds=issuance.request.duration)
