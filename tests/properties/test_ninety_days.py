"""Ninety days of hourly runs at a CA with limits: some names are never proved, some now and then, runs die.

What the CA counts is counted apart from what certform does. Whatever happens, it refuses no order for a
limit, pauses no name, and every certificate whose names are proved is renewed in time.
"""

import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from fleet_documents import Leaf
from limited_ca import LimitedFleet, acme
from memory_ledger import Crash
from token_buckets import ORDERS, SAME_NAMES, beyond

from reconciler.apply import apply
from reconciler.planning import make_plan, pending
from reconciler.selection import Selection

FULL = bool(os.environ.get("CERTFORM_FULL_SWEEP"))
DAYS, SEEDS = (90, (1, 2)) if FULL else (25, (1,))
"""25 days see every life renewed once at least."""
DUE = Selection(due_only=True)
HOUR = timedelta(hours=1)
HEALTHY = tuple(f"well{i}" for i in range(6))
FLAPPING = ("flap0", "flap1")


def leaves() -> dict[str, Leaf]:
    """Certificates of six days and of thirty; some with a name that nobody can prove, or no longer."""

    def leaf(name: str, days: int) -> Leaf:
        return Leaf("le", (), (name,), days=days, renew_before=days // 3)

    well = {name: leaf(f"{name}.example.com", 6 + 24 * (i % 2)) for i, name in enumerate(HEALTHY)}
    flap = {name: leaf(f"{name}.example.com", 30) for name in FLAPPING}
    bad = {f"bad{i}": Leaf("le", (), ("bad.example.net", f"b{i}.example.net")) for i in range(20)}
    return {**well, **flap, **bad, "lost": leaf("lost.example.org", 10)}


class World:
    """The fleet, and which names are proved when: flapping ones in two hours of five."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.fleet = LimitedFleet(leaves=leaves(), issuers={"le": acme()})
        self.fleet.ca.proves = self.proves
        self.start = self.fleet.now
        self.crashes = 0

    def proves(self, name: str, now: datetime) -> bool:
        if name.startswith("flap"):
            return (now - self.start) // HOUR % 5 < 2
        lost = name.startswith("lost") and now > self.start + timedelta(days=3)
        return not (name.startswith("bad") or lost)

    def run(self, *, first: bool = False) -> None:
        """Apply once, or die at some wave of it, right before or after it is kept."""
        journal = self.fleet.journal
        dies = self.random.random() < 0.3
        journal.crash_at = self.random.randrange(1, 8) if dies else None
        journal.crash_after = self.random.random() < 0.5
        try:
            session = self.fleet.session()
            plan = make_plan(session.world, None if first else DUE)
            for _ in apply(session, pending(plan.changes)):
                pass
        except Crash:
            self.crashes += 1
        finally:
            journal.crash_at = None

    def hours(self) -> Iterator[datetime]:
        for _ in range(24 * DAYS):
            self.fleet.now += HOUR + timedelta(seconds=self.random.randrange(-600, 600))
            yield self.fleet.now


@pytest.mark.parametrize("seed", SEEDS)
def test_in_ninety_days_no_order_is_refused_no_name_paused_and_all_is_renewed_in_time(
    seed: int,
) -> None:
    world = World(seed)
    fleet, ca = world.fleet, world.fleet.ca
    for _ in range(5):  # whoever applies what was reviewed tries again when a run dies
        world.run(first=True)
    for now in world.hours():
        world.run()
        for name in HEALTHY:
            assert fleet.current(name).not_after > now, f"{name} has expired"
    assert ca.buckets.refusals == []
    assert ca.buckets.paused == set()
    assert [*beyond(ca.sold, SAME_NAMES), *beyond(ca.asked, ORDERS)] == []
    for name in FLAPPING:
        assert fleet.current(name).not_after > fleet.now, f"{name} has expired"
    assert fleet.journal.state.certificates["bad0"].current is None
    assert len({day for _, day in fleet.journal.state.spending}) <= 9
    assert world.crashes > 0
    failed = sum(bool(order.failed) for order in ca.orders.values())
    assert failed < 4 * (len(fleet.leaves) + DAYS)
