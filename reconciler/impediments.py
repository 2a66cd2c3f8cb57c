"""What keeps a certificate from being replaced without somebody, when what it hangs by falls."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from reconciler.holdings import Line
from reconciler.ledger.records import LedgerState, Status
from reconciler.state import Desired, DesiredAuthority


class Obstacle(StrEnum):
    """Why somebody is needed."""

    CEREMONY = "takes a ceremony"
    NO_KEY = "nobody here has the CA's key"
    ANOTHER_ISSUER = "needs another issuerRef"
    ELSEWHERE = "is on another host"
    NO_TARGET = "is where no Target is any more"
    UNWANTED = "is asked for by no document"


@dataclass(frozen=True, slots=True)
class Impediment:
    """One obstacle, and what it is about: a CA, a place, or nothing."""

    obstacle: Obstacle
    about: str = ""

    @property
    def is_of_issuer(self) -> bool:
        """Whether it is in the way of everything that an issuer signs."""
        return self.obstacle in (Obstacle.CEREMONY, Obstacle.NO_KEY, Obstacle.ANOTHER_ISSUER)

    def __str__(self) -> str:
        return f"{self.obstacle} ({self.about})" if self.about else str(self.obstacle)


class Impediments:
    """Finds the impediments of certificates, where the CAs or issuers in `fallen` have to be replaced first.

    `elsewhere` are the targets on other hosts: certform replaces what is there when it runs there.
    """

    def __init__(
        self,
        desired: Desired,
        ledger: LedgerState,
        fallen: Collection[Line],
        elsewhere: Collection[str],
    ) -> None:
        self._desired = desired
        self._ledger = ledger
        self._fallen = fallen
        self._elsewhere = elsewhere
        self._signers: dict[str, tuple[Impediment, ...]] = {}

    def of(self, name: str, places: Collection[str]) -> tuple[Impediment, ...]:
        """Return what stands in the way of one certificate that is in some places."""
        desired = self._desired.certificates.get(name)
        if desired is None:
            return (Impediment(Obstacle.UNWANTED),)
        issuer = desired.request.issuer
        if issuer not in self._signers:
            self._signers[issuer] = tuple(dict.fromkeys(self._signing(issuer)))
        return (*self._signers[issuer], *self._placing(places))

    def _placing(self, places: Collection[str]) -> Iterator[Impediment]:
        for place in sorted(places):
            if place in self._elsewhere:
                yield Impediment(Obstacle.ELSEWHERE, place)
            elif place not in self._desired.targets:
                yield Impediment(Obstacle.NO_TARGET, place)

    def _signing(self, issuer: str) -> Iterator[Impediment]:
        """Yield what stands in the way of an issuer: its own key's place, and who has to sign it anew."""
        authority = self._desired.authorities.get(issuer)
        if mounted := self._desired.mounted(issuer):
            yield from self._signing(mounted.name)
            return
        if authority is None:
            if (issuer, 0) in self._fallen or issuer not in self._desired.issuers:
                yield Impediment(Obstacle.ANOTHER_ISSUER, issuer)
            return
        if authority.is_anchor:
            yield Impediment(Obstacle.NO_KEY, authority.address)
        elif authority.offline:
            yield Impediment(Obstacle.CEREMONY, authority.address)
        parent = authority.request.issuer
        falls = (issuer, authority.request.generation) in self._fallen
        if parent and falls and not self._has_standby(authority):
            yield from self._signing(parent)

    def _has_standby(self, authority: DesiredAuthority) -> bool:
        """Whether the next generation of a CA is signed already, by one that stands."""
        record = self._ledger.authorities.get(authority.name)
        if authority.standby is None or record is None:
            return False
        ready = record.issued(authority.standby.generation)
        if ready is None or ready.status is not Status.ISSUED:
            return False
        return (ready.request.issuer, ready.request.issuer_generation) not in self._fallen
