"""Each bundle that may be in the field with each chain that may be served, at each step of a rotation.

OpenSSL, GnuTLS and cryptography's verifier agree about all that certform installs. Where they do not is in
the last test here.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown
from key_kinds import P256
from memory_ledger import Crash
from rotation_bench import ALLOWED, Bench, Field, crls, follows, served, trusted, unlisted
from trusting import Trust

from providers.errors import Transient
from reconciler.events import EventStatus

Tell = Callable[[str], None]
PLACES = {"web": "a", "near": "b"}


@pytest.fixture
def bench(tmp_path: Path, require: Callable[[str], str]) -> Bench:
    return Bench(tmp_path, require("openssl"), require("certtool"))


def house(now: datetime | None = None, days: int = 30) -> Fleet:
    """A leaf below an intermediate, one below the root itself, and the root's bundle beside each."""
    cas = {"root": Ca(days=3650, key=P256), "services": Ca("root", days=1825, key=P256)}
    return Fleet(
        cas=cas,
        leaves={
            "web": Leaf("services", days=days, key=P256),
            "near": Leaf("root", at("b"), days=days, key=P256),
        },
        bundles={"corp": Trust(targets=at("a", "b"), overlap=0)},
        now=now or datetime.now(UTC).replace(microsecond=0),
    ).converge()


def planned(fleet: Fleet) -> None:
    fleet.cas["root"] = replace(fleet.cas["root"], generation=2)


def crossed(fleet: Fleet) -> None:
    fleet.cas["root"] = replace(fleet.cas["root"], generation=2, crossed=True)


def compromised(fleet: Fleet) -> None:
    fleet.compromise("root")


def raised(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], generation=2)


def stolen(fleet: Fleet) -> None:
    fleet.compromise("services")


EDITS = [planned, crossed, compromised]


def steps(fleet: Fleet) -> Iterator[str]:
    """Apply until nothing is left to do, and stop after every change, to look."""
    for _ in range(4):
        for event in fleet.stream():
            if event.final:
                assert event.status is EventStatus.DONE, event
                yield f"{event.action} {event.address}"
        if not shown(fleet.plan()):
            return
    pytest.fail(f"it goes on and on: {shown(fleet.plan())}")


@pytest.mark.parametrize("edit", EDITS)
def test_what_may_meet_is_followed_and_nothing_else(
    bench: Bench, tell: Tell, edit: Callable[[Fleet], None]
) -> None:
    fleet = house()
    field, counted = Field(fleet, PLACES), Counter[str]()
    field.look()
    edit(fleet)
    for step in steps(fleet):
        field.look()
        counted["steps"] += 1
        for (version, anchors), (chosen, chain) in product(
            field.bundles.items(), field.chains.items()
        ):
            inside = version in ALLOWED[chosen[1]]
            counted["inside" if inside else "outside"] += 1
            said = bench.judge(anchors, chain)
            assert set(said.values()) == {inside}, (step, version, chosen[:2], said)
        for version, kind, anchors, chain in field.standing():
            counted["standing"] += 1
            assert version in ALLOWED[kind], (step, version, kind)
            assert bench.revoking(anchors, chain, crls(fleet)) is None, (step, version, kind)
    assert field.bundles.keys() == {"old", "both", "new"}
    kinds = {"old", "new", *(["cross"] if edit is crossed else [])}
    assert {(name, kind) for name, kind, _ in field.chains} == set(product(PLACES, kinds))
    assert counted["outside"] > 0
    tell(
        f"a root's rotation, {edit.__name__}: {counted['steps']} steps;"
        f" {counted['inside']} cells that must be followed, 0 are not;"
        f" {counted['outside']} that must not, 0 are; {counted['standing']} in targets,"
        f" all of the first kind; {bench.verdicts} verdicts"
    )


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("edit", [*EDITS, raised, stolen])
def test_killed_anywhere_only_what_fits_has_met(
    tell: Tell, edit: Callable[[Fleet], None], after: bool
) -> None:
    met = Counter[str]()
    for crash in range(1, 50):
        fleet = house()
        edit(fleet)
        fleet.journal.crash_at, fleet.journal.crash_after = crash, after
        with suppress(Crash):
            met["pairs"] += sum(map(meet, (fleet for _ in steps(fleet))))
            break
        met["deaths"] += 1
        fleet.journal.crash_at = None
        met["pairs"] += meet(fleet) + sum(map(meet, (fleet for _ in steps(fleet))))
    assert met["deaths"] > 6
    when = "after" if after else "before"
    tell(
        f"a rotation, {edit.__name__}, killed {when} each of {met['deaths']} writes of the"
        f" ledger: {met['pairs']} pairs of bundle and chain in targets, 0 that do not fit"
    )


def meet(fleet: Fleet) -> int:
    """Let all that is in targets now meet; return how many pairs that were."""
    pairs = list(Field(fleet, PLACES).standing())
    for version, kind, anchors, chain in pairs:
        assert version in ALLOWED[kind], (version, kind)
        assert follows(anchors, chain), (version, kind)
        assert unlisted(chain, crls(fleet)) == []
    return len(pairs)


@pytest.mark.parametrize("edit", EDITS)
def test_where_an_anchor_is_refused_nothing_moves_until_it_is_there(
    edit: Callable[[Fleet], None],
) -> None:
    fleet = house()
    edit(fleet)
    fleet.store("b").fail("install_trust", *[Transient("the disk is full")] * 2)
    for _ in range(2):
        for _ in fleet.stream():
            assert meet(fleet) == 4
        assert {kind for _, kind, _, _ in Field(fleet, PLACES).standing()} == {"old"}
    for _ in steps(fleet):
        assert meet(fleet) == 4
    assert not {kind for _, kind, _, _ in Field(fleet, PLACES).standing()} & {"old"}


def test_the_next_generation_of_an_intermediate_is_followed_as_the_last_is(
    bench: Bench, tell: Tell
) -> None:
    fleet = house()
    (anchors,) = {trusted(fleet, target) for target in "ab"}
    old = served(fleet, "a", "web")
    raised(fleet)
    for step in steps(fleet):
        assert trusted(fleet, "a") == anchors, step
        now = served(fleet, "a", "web")
        assert set(bench.judge(anchors, now).values()) == {True}, step
        assert bench.revoking(anchors, now, crls(fleet)) is None, step
    new = served(fleet, "a", "web")
    assert old[1] != new[1]
    for leaf, above in product((old, new), repeat=2):
        said = bench.judge(anchors, (leaf[0], *above[1:]))
        assert set(said.values()) == {leaf == above}, said
    tell(f"an intermediate's next generation: {bench.verdicts} verdicts, none of them wrong")


def test_renewed_with_the_same_key_either_certificate_of_a_ca_goes_with_any_leaf(
    bench: Bench, tell: Tell
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    fleet = house(now - timedelta(days=700), days=1000)
    old, root = served(fleet, "a", "web"), trusted(fleet, "a")
    fleet.now = now
    fleet.converge()
    for name, before in (("root", 3000), ("services", 1200)):
        fleet.cas[name] = replace(fleet.cas[name], renew_before=before)
    for step in steps(fleet):
        assert bench.revoking(trusted(fleet, "a"), old, crls(fleet)) is None, step
    fleet.replace = frozenset({"certificate/web"})
    list(fleet.apply())
    new, renewed = served(fleet, "a", "web"), trusted(fleet, "a")
    assert not set(old) & set(new)
    assert root != renewed
    every = list(product((root, renewed, root + renewed), (old[0], new[0]), (old[1], new[1])))
    for anchors, leaf, above in every:
        assert set(bench.judge(anchors, (leaf, above)).values()) == {True}
        assert bench.revoking(anchors, (leaf, above), crls(fleet)) is None
    stranger = trusted(house(), "a")
    for chain in (old, new):
        assert set(bench.judge(stranger, chain).values()) == {False}
    tell(
        f"a root and an intermediate renewed: {len(every)} of {len(every)} bundles and chains"
        f" of old and new ones are followed, {bench.verdicts} verdicts"
    )


def test_a_chain_of_two_lines_is_followed_by_those_who_go_back(bench: Bench) -> None:
    """So certform serves one line, and the cross-certificate at its end.

    Both certificates of `services` have one name and one key. OpenSSL and GnuTLS take the first of them and
    do not come back for the other; cryptography tries each. GnuTLS minds even what lies beside a whole line.
    None minds the order of that line; TLS 1.2 (RFC 5246 section 7.4.2) would let a client insist on it.
    """
    fleet = house()
    old = served(fleet, "a", "web")
    crossed(fleet)
    list(steps(fleet))
    anchors = {"old": trusted_once(fleet, 1), "new": trusted_once(fleet, 2)}
    leaf, below, cross = served(fleet, "a", "web")
    patient = {"OpenSSL": False, "GnuTLS": False, "cryptography": True}
    assert bench.judge(anchors["old"], (leaf, below, old[1])) == patient
    assert bench.judge(anchors["new"], (leaf, old[1], below)) == patient
    for trust in anchors.values():
        assert set(bench.judge(trust, (leaf, cross, below)).values()) == {True}
    kept = {"OpenSSL": True, "GnuTLS": False, "cryptography": True}
    assert bench.judge(anchors["new"], (leaf, below, cross, old[1])) == kept


def trusted_once(fleet: Fleet, generation: int) -> tuple[bytes, ...]:
    """The bundle of somebody who knows one generation of the root."""
    return ((fleet.signed_under("root", generation).certificate or "").encode(),)
