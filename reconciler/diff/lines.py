"""By which CAs a leaf hangs and by which it is to, and what has to be there before it can."""

from dataclasses import dataclass
from itertools import takewhile

from reconciler.chains import Line
from reconciler.checks import Finding
from reconciler.diff.mounts import handed_before, lost
from reconciler.diff.prospects import Prospects
from reconciler.diff.trust import Waits
from reconciler.diff.world import World
from reconciler.ledger.records import Issuance
from reconciler.state import DesiredCertificate
from schemas.plan import Reason


@dataclass(frozen=True, slots=True)
class SignedAfter:
    """What comes before a leaf is signed, and the line that it hangs by from then on."""

    line: Line
    waits: Waits
    requires: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()

    def identity(self, finding: Finding) -> dict[str, object]:
        """Return what tells one move to other CAs from another; for anything else the request says all."""
        moved = finding.reason is Reason.CHAIN_CHANGED
        return {"line": [list(each) for each in self.line]} if moved else {}


def astray(
    world: World, desired: DesiredCertificate, above: Prospects, current: Issuance | None
) -> str:
    """Say by which CAs a leaf hangs and by which its issuer is to hang; empty where they are the same."""
    theirs = desired.request.issuer_id is not None
    if current is not None and current.reference is not None and theirs:
        return lost(above, desired.request, current)
    if current is None or current.reference is not None or theirs:
        return ""
    had, line = world.line(current), above.line(desired.request)
    if not had or not line or had == line or had[0] != line[0]:
        return ""
    if above.waits(line, current).missing:
        return ""  # which is told apart from what else it needs
    return told(had, line)


def signed_after(
    desired: DesiredCertificate, above: Prospects, current: Issuance | None
) -> SignedAfter:
    """Return what comes first: its CA, and the anchor of its root wherever that has to be trusted."""
    request, line = desired.request, above.line(desired.request)
    if request.issuer_id is not None:
        return SignedAfter((), Waits(), handed_before(above.world, request))
    waits = above.waits(line, current)
    requires = (*above.requires(request), *waits.requires)
    return SignedAfter(line, waits, requires, above.follows(request))


def told(had: Line, line: Line) -> str:
    """Say in words where one line goes another way than the other."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(had, line, strict=False)))
    before, after = (", ".join(words(each[same:])) for each in (had, line))
    return f"it hangs by {before} and is to hang by {after}"


def words(line: Line) -> list[str]:
    """Return the CAs of a line in words, from the issuer upwards."""
    return [f"{name} generation {number}" if number else name for name, number in line]
