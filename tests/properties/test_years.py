"""Twenty-three years of nights: the dated rules, leap days, 2050, clocks that are wrong, and CAs that end.

Whoever keeps the documents does what a plan says: a life that is too long is written as it asks.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf
from fleet_sights import issuances
from key_kinds import P256
from malformed import Seen

from providers.x509 import to_der
from reconciler.baseline import bound_at, days
from reconciler.events import EventStatus
from reconciler.ledger.records import Issuance, Status
from reconciler.lifetimes import lifetimes
from reconciler.limits import Judgement, Limit, Limits
from reconciler.lint.findings import Severity
from reconciler.lint.judges import Judges
from schemas.plan import Action, Reason, Source
from schemas.policy import Baseline
from schemas.request import LeafRequest
from schemas.scalars import parse_duration

RULE = Source(file="config/policies.yaml", line=5)
CABF = Limits(
    (Limit("public", RULE, HERE, baseline=Baseline.CABF_TLS),),
    (Judgement(Baseline.CABF_TLS, "public", RULE),),
)
DAY, SKEW = timedelta(days=1), timedelta(minutes=10)
START, END = datetime(2026, 11, 27, 2, tzinfo=UTC), datetime(2050, 2, 15, 2, tzinfo=UTC)
NOTABLE = (
    datetime(2027, 3, 15, tzinfo=UTC),
    datetime(2028, 2, 29, tzinfo=UTC),
    datetime(2029, 3, 15, tzinfo=UTC),
    datetime(2032, 2, 29, tzinfo=UTC),
    datetime(2048, 2, 29, tzinfo=UTC),
    datetime(2050, 1, 1, tzinfo=UTC),
)
CAREFUL = timedelta(days=3)


def fleet() -> Fleet:
    """A root of ten years, a CA of five and one of one, a public name, and one of the house."""
    public = Leaf("web", (("a", None),), ("www.example.com",), days=200, renew_before=66)
    return Fleet(
        cas={
            "root": Ca(key=P256, days=3650),
            "web": Ca(key=P256, parent="root", days=1825, path_length=0),
            "short": Ca(key=P256, parent="root", days=365, path_length=0),
        },
        leaves={
            "public": replace(public, limits=CABF, key=P256),
            "house": Leaf("short", names=("db.svc.internal",), days=90, renew_before=30, key=P256),
        },
        targets=("a",),
        now=START,
    )


@dataclass
class Years:
    """The nights of one fleet, and all that was found wrong in them."""

    fleet: Fleet = field(default_factory=fleet)
    truth: datetime = START
    chance: random.Random = field(default_factory=lambda: random.Random(20500101))
    judges: Judges = field(default_factory=Judges)
    seen: set[str] = field(default_factory=set)
    edits: list[datetime] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    expired: timedelta = timedelta()
    nights: int = 0

    def pass_(self) -> "Years":
        """Live all of them."""
        while self.truth < END:
            self.night()
            later = self.next()
            self.serve(later)
            self.truth = later
        return self

    def night(self) -> None:
        """Apply as the nightly job does, with a clock that may be ten minutes wrong either way."""
        self.nights += 1
        self.fleet.now = self.truth + self.chance.choice((-SKEW, timedelta(), SKEW))
        self.obey()
        failed = [e for e in self.fleet.apply() if e.status is not EventStatus.DONE]
        self.wrong += [f"{self.truth}: {event.address} {event.message}" for event in failed]
        for issued in issuances(self.fleet.journal.state):
            if issued.status is Status.ISSUED and issued.serial not in self.seen:
                self.seen.add(issued.serial)
                self.wrong += [f"{self.truth}: {each}" for each in self.faults(issued)]

    def obey(self) -> None:
        """Write the duration that a plan asks for."""
        for step in self.fleet.plan().changes:
            if step.action is not Action.BLOCKED:
                continue
            asked = re.search(r"write `duration: (\w+)`", step.message)
            if step.reason is not Reason.POLICY or asked is None:
                self.wrong.append(f"{self.truth}: {step.address} is blocked: {step.message}")
                continue
            life = parse_duration(asked[1]).days
            self.edits.append(self.truth)
            self.fleet.edit(step.address.partition("/")[2], days=life, renew_before=life // 3)

    def next(self) -> datetime:
        """The night after something falls due; every night around a day that matters."""
        due = [life.renews_at for life in lifetimes(self.fleet.world()) if life.renews_at]
        careful = any(abs(self.truth - day) <= CAREFUL for day in NOTABLE)
        if careful or not due:
            return self.truth + DAY
        idle = max((min(due) - self.truth) // DAY, 0)
        ahead = [(day - CAREFUL - self.truth) // DAY for day in NOTABLE if day > self.truth]
        return self.truth + DAY * (1 + min([idle, *(max(n, 0) for n in ahead)]))

    def serve(self, until: datetime) -> None:
        """Count how long what is installed stays there past its end."""
        for held in self.fleet.store("a").objects.values():
            ends = held.installed.not_after
            assert ends is not None
            self.expired += max(until - max(ends, self.truth), timedelta())

    def faults(self, issued: Issuance) -> Iterator[str]:
        """Yield what is wrong with a certificate, by its bytes and beside the one that signed it."""
        der = to_der(str(issued.certificate).encode())
        leaf = isinstance(issued.request, LeafRequest)
        seen = Seen(der, ca=not leaf)
        for name, (kind, text) in zip(("notBefore", "notAfter"), seen.times, strict=True):
            moment = issued.not_before if name == "notBefore" else issued.not_after
            late = moment.year >= 2050
            if (kind == "generalTime") != late or f"{moment:%Y%m%d%H%M%SZ}"[
                0 if late else 2 :
            ] != text:
                yield f"{name} {moment} is written as {kind} {text}"
        above = next(
            (i for i in issuances(self.fleet.journal.state) if i.serial == issued.signer), issued
        )
        if not above.not_before <= issued.not_before < issued.not_after <= above.not_after:
            yield f"{issued.request} is not within the life of what signed it"
        public = leaf and issued.request.issuer == "web"
        if public:
            yield from self.too_long(issued)
        found = (*self.judges.pkix(der), *(self.judges.tls(der, organised=False) if public else ()))
        errors = (each for each in found if each.counts and each.severity is Severity.ERROR)
        yield from map(str, errors)

    def too_long(self, issued: Issuance) -> Iterator[str]:
        life = issued.not_after - issued.not_before + timedelta(seconds=1)
        most = days(bound_at(Baseline.CABF_TLS, issued.not_before).longest)
        if days(life) > most:
            yield f"{days(life)} days from {issued.not_before}, where {most} are allowed"


def test_nothing_is_against_the_rules_and_nothing_expires_in_23_years(
    tell: Callable[[str], None],
) -> None:
    years = Years().pass_()
    tell(
        f"years: {years.nights:,} nights to {years.truth:%Y-%m}, {len(years.seen):,} certificates,"
        f" {len(years.wrong)} against the rules, {years.expired.total_seconds():.0f} s expired and"
        f" served, {len(years.edits)} edits that a plan asked for"
    )
    assert years.wrong[:5] == []
    assert years.expired == timedelta()
    assert [f"{edit:%Y}" for edit in years.edits] == ["2027", "2029"]
    kinds = {type(i.request) for i in issuances(years.fleet.journal.state)}
    assert len(kinds) == 2
    roots = years.fleet.journal.state.authorities["root"].issuances
    assert max(i.not_after for i in roots) > END
    assert len({i.spki for i in roots}) == 1


def test_a_document_that_nobody_edits_is_blocked_and_told_of_long_before_it_ends() -> None:
    """So the sweep would find it: without the edits the name in public is refused in 2027."""
    years = Years()
    years.fleet.now = datetime(2027, 3, 16, tzinfo=UTC)
    blocked = {step.address for step in years.fleet.plan().changes if step.action is Action.BLOCKED}
    assert blocked == {"certificate/public"}


def test_what_is_too_long_or_badly_written_would_be_noticed() -> None:
    years = Years()
    years.night()
    (issued,) = years.fleet.journal.state.certificates["public"].issuances
    assert list(years.faults(issued)) == []
    later = issued.model_copy(update={"not_after": issued.not_after + DAY})
    assert any("201 days" in each for each in years.faults(later))
    assert any("is written as utcTime" in each for each in years.faults(later))
