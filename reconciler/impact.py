"""What falls with a CA, a CA of others, a place or a certificate, and what can be replaced without anybody.

Documents and ledger say so; nobody is asked. What is revoked or expired has fallen already and is left out.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from reconciler.holdings import Holding, Holdings, Line
from reconciler.impediments import Impediment, Impediments
from reconciler.ledger.records import LedgerState
from reconciler.state import Desired

KINDS = ("authority", "issuer", "target", "certificate")
"""What an address may be of."""


@dataclass(frozen=True, slots=True)
class FallenAuthority:
    """One generation of a CA, or a CA of others (0); `not_after` is None where it is not issued yet.

    `above` is who signed it, where that falls too.
    """

    line: Line
    common_name: str
    above: Line | None
    not_after: datetime | None
    offline: bool = False
    past: int = 0
    """How many certificates it issued before it was taken over that are neither expired nor revoked."""

    @property
    def address(self) -> str:
        """Its name, as in a plan."""
        return f"{'authority' if self.line[1] else 'issuer'}/{self.line[0]}"

    @property
    def title(self) -> str:
        """Its name and its generation."""
        return f"{self.address} generation {self.line[1]}" if self.line[1] else self.address


@dataclass(frozen=True, slots=True)
class FallenCertificate:
    """One leaf; `not_after` is None where it is not issued yet. `impediments` keep it from being replaced."""

    name: str
    line: Line
    not_after: datetime | None
    places: tuple[str, ...]
    impediments: tuple[Impediment, ...] = ()

    @property
    def address(self) -> str:
        """Its name in a plan."""
        return f"certificate/{self.name}"

    @property
    def urgency(self) -> tuple[bool, bool, float, str]:
        """Sorts what somebody has to see to before the others, and what ends first before what ends later."""
        end = self.not_after.timestamp() if self.not_after else 0.0
        return not self.impediments, self.not_after is None, end, self.name


@dataclass(frozen=True, slots=True)
class FallenBundle:
    """A bundle of anchors: it holds one that falls, or is in a place that does."""

    name: str
    roots: tuple[str, ...]
    places: tuple[str, ...]

    @property
    def address(self) -> str:
        """Its name in a plan."""
        return f"bundle/{self.name}"


@dataclass(frozen=True)
class Impact:
    """All that falls with one thing; `subject` is its address, empty where everything is meant.

    Certificates stand in the order of their urgency, CAs below those that signed them.
    """

    project: str
    now: datetime
    subject: str
    generation: int | None
    authorities: tuple[FallenAuthority, ...]
    certificates: tuple[FallenCertificate, ...]
    bundles: tuple[FallenBundle, ...]

    @property
    def title(self) -> str:
        """What falls, in a few words."""
        named = self.subject or self.project
        return f"{named} generation {self.generation}" if self.generation else named

    @cached_property
    def past(self) -> int:
        """How many certificates of before fall: nobody here knows where they are."""
        return sum(each.past for each in self.authorities)

    @cached_property
    def places(self) -> Mapping[str, int]:
        """How many of the certificates are in each place, the fullest first."""
        counted = Counter(place for each in self.certificates for place in each.places)
        return dict(sorted(counted.items(), key=lambda each: (-each[1], each[0])))

    @cached_property
    def ends(self) -> tuple[datetime, ...]:
        """When the certificates end, the soonest first."""
        return tuple(sorted(each.not_after for each in self.certificates if each.not_after))

    @cached_property
    def stuck(self) -> tuple[FallenCertificate, ...]:
        """The certificates that cannot be replaced without somebody."""
        return tuple(each for each in self.certificates if each.impediments)

    @cached_property
    def obstacles(self) -> Mapping[Impediment, int]:
        """How many certificates each impediment is in the way of, the most first."""
        counted = Counter(why for each in self.stuck for why in each.impediments)
        return dict(sorted(counted.items(), key=lambda each: (-each[1], str(each[0]))))

    @cached_property
    def below(self) -> Mapping[Line, tuple[FallenCertificate, ...]]:
        """The certificates directly below each CA."""
        found: dict[Line, list[FallenCertificate]] = {}
        for each in self.certificates:
            found.setdefault(each.line, []).append(each)
        return {line: tuple(those) for line, those in found.items()}


def impact(
    desired: Desired,
    ledger: LedgerState,
    address: str,
    now: datetime,
    *,
    generation: int | None = None,
    elsewhere: Collection[str] = (),
) -> Impact | None:
    """Return what falls with an address, None where neither documents nor ledger know it.

    `generation` is of a CA, None for all that it has. `elsewhere` are the targets that are on other
    hosts. With an empty address nothing falls, and everything is told.
    """
    held = Holdings(desired, ledger, now)
    scope = _scope(held, address, generation)
    if scope is None:
        return None
    find = Impediments(desired, ledger, scope.lines if address else (), elsewhere)
    told = (
        FallenCertificate(e.name, e.line, e.not_after, e.places, find.of(e.name, e.places))
        for e in held.leaves
        if scope.has(e)
    )
    return Impact(
        project=desired.project,
        now=now,
        subject=address,
        generation=generation,
        authorities=tuple(_authorities(held, scope)),
        certificates=tuple(sorted(told, key=lambda each: each.urgency)),
        bundles=tuple(_bundles(held, scope)),
    )


@dataclass(frozen=True)
class _Scope:
    """What falls: CAs with who signed them, where that falls too, places, or one certificate."""

    lines: Mapping[Line, Line | None] = field(default_factory=dict)
    places: frozenset[str] = frozenset()
    name: str | None = None
    everything: bool = False

    def has(self, leaf: Holding) -> bool:
        """Whether a leaf falls."""
        if self.everything or leaf.line in self.lines or leaf.name == self.name:
            return True
        return not self.places.isdisjoint(leaf.places)


def _scope(held: Holdings, address: str, generation: int | None) -> _Scope | None:
    """Return what falls with an address; None where nobody knows it."""
    desired, ledger = held.desired, held.ledger
    kind, _, name = address.partition("/")
    if not address:
        return _Scope(_every(held), everything=True)
    if kind in ("authority", "issuer"):
        if name in desired.authorities or name in ledger.authorities:
            own = (each for each in held.lines if each[0] == name)
            return _Scope(_closed(held, (e for e in own if generation in (None, e[1]))))
        return _Scope(_closed(held, ((name, 0),))) if name in desired.issuers else None
    if kind == "target":
        places = held.places(name)
        return _Scope(places=places) if places else None
    known = name in desired.certificates or name in ledger.certificates
    return _Scope(name=name) if kind == "certificate" and known else None


def _every(held: Holdings) -> dict[Line, Line | None]:
    """Return every CA, those of others too that something hangs by, with who is above it."""
    above = {line: held.above(line) for line in held.lines}
    theirs = {line for line in above.values() if line is not None and not line[1]}
    others = {leaf.line for leaf in held.leaves if leaf.line not in held.lines}
    return {**above, **{line: held.above(line) for line in sorted(theirs | others)}}


def _closed(held: Holdings, lines: Iterable[Line]) -> dict[Line, Line | None]:
    """Return generations of CAs, or a CA of others, and every CA below."""
    found: dict[Line, Line | None] = dict.fromkeys(lines)
    above = _every(held)
    while more := {line: up for line, up in above.items() if up in found and line not in found}:
        found |= more
    return found


def _authorities(held: Holdings, scope: _Scope) -> Iterator[FallenAuthority]:
    for line, above in sorted(scope.lines.items()):
        request, desired = held.lines.get(line), held.desired.authorities.get(line[0])
        name = request.common_name if request else ""
        offline = desired is not None and desired.offline
        before = held.ledger.past.get(line)
        left = sum(1 for e in before.unexpired(held.now) if not e.revoked) if before else 0
        yield FallenAuthority(line, name, above, held.end(line), offline, left)


def _bundles(held: Holdings, scope: _Scope) -> Iterator[FallenBundle]:
    roots = {
        line[0]
        for line, request in held.lines.items()
        if line in scope.lines and not request.issuer
    }
    for name, places in held.bundles().items():
        anchors = held.anchors(name) & roots
        if scope.everything or anchors or places & scope.places:
            yield FallenBundle(name, tuple(sorted(anchors)), tuple(sorted(places)))
