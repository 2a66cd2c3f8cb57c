"""Groups a plan's changes into the blocks that are told together, in the order they are told."""

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.render.vocabulary import FOLDED, ISSUES, Kind, kind_of
from schemas.plan import Change


@dataclass(frozen=True, slots=True)
class Block:
    """One story: the change it is about, and those that go with it, such as an issue's installs."""

    subject: str
    lead: Change
    others: tuple[Change, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change of the block, the lead first."""
        return (self.lead, *self.others)

    @property
    def kind(self) -> Kind:
        """What the block is about."""
        return kind_of(self.lead)


_LATER = (Kind.FORGET, Kind.REMOVE, Kind.REVOKE, Kind.PUBLISH, Kind.BLOCKED)
"""What takes away, what tells of that, and what needs somebody stand last: next to the summary."""


def blocks(changes: Iterable[Change]) -> tuple[Block, ...]:
    """Return the blocks in the plan's order, the building ones first and the blocked ones last."""
    groups: dict[tuple[int, str], list[Change]] = {}
    for change in changes:
        groups.setdefault(_group(change), []).append(change)
    ordered = sorted(groups.items(), key=lambda group: group[0][0])
    return tuple(_block(subject, members) for (_, subject), members in ordered)


def subject_of(address: str) -> str:
    """Return the certificate or authority an address belongs to."""
    return address.partition("@")[0].partition("#")[0]


def place_of(address: str) -> str:
    """Return the target an address is in; empty when it is in none."""
    place, anchor = address.partition("@")[2], anchor_of(address)
    return place.removesuffix(f"#{anchor}") if anchor else place


def anchor_of(address: str) -> str:
    """Return what a single anchor of a bundle in a target is called; empty for any other address."""
    return address.partition("@")[2].partition("#")[2] if address.startswith("bundle/") else ""


def _group(change: Change) -> tuple[int, str]:
    kind = kind_of(change)
    if kind in FOLDED:
        return 0, subject_of(change.address)
    rank = 1 + _LATER.index(kind)
    if kind is Kind.PUBLISH:
        return rank, ""
    if kind not in (Kind.REMOVE, Kind.FORGET):
        return rank, change.address
    subject, anchor = subject_of(change.address), anchor_of(change.address)
    return rank, f"{subject}#{anchor}" if anchor else subject


def _block(subject: str, members: list[Change]) -> Block:
    lead, *others = sorted(members, key=_leading)
    return Block(subject, lead, tuple(others))


def _leading(change: Change) -> int:
    if kind_of(change) in ISSUES:
        return 0
    return 2 if place_of(change.address) else 1
