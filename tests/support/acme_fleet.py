"""A fleet in memory whose certificates come through a door from Pebble, by the real issuer for ACME."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import acme_ca_rig
import pytest
from acme_ca_rig import Keyring, pem_key
from acme_door import Door
from fleet import Fleet
from fleet_documents import Leaf
from key_kinds import P256

from providers.acme.issuer import AcmeIssuer
from providers.issuing import Issuer, IssuerConfig
from reconciler.events import Event, EventStatus
from reconciler.ledger.issuing import Spent
from reconciler.ledger.records import Attempts, CertificateRecord, Status
from reconciler.selection import Selection
from schemas.issuer import IssuerSpec
from schemas.request import LeafRequest

NAME, OLD, NEW = "www", ("www.example.com",), ("api.example.com", "www.example.com")
DUE = Selection(due_only=True)
_clock = time.monotonic
_NAP = 0.01


@dataclass
class Haste:
    """A clock that leaps ahead when somebody sleeps, who is let go after a moment."""

    slept: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Let so many seconds have passed."""
        time.sleep(min(seconds, _NAP))
        self.slept += seconds

    def ticks(self) -> float:
        """The seconds of the clock."""
        return _clock() + self.slept

    @contextmanager
    def everywhere(self) -> Iterator["Haste"]:
        """Let calls that are made again and again go by this clock, too."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tenacity.time.monotonic", self.ticks)
            yield self


@dataclass
class AcmeFleet(Fleet):
    """A fleet with one Issuer, `le`. Only who is asked to wait longer than `patience` seconds goes on."""

    door: Door = field(kw_only=True)
    haste: Haste = field(default_factory=Haste)
    keyring_of_acme: Keyring = field(default_factory=lambda: Keyring({"account": pem_key()}))
    patience: float = 60.0
    hurried: bool = False
    """Whether waiting for the CA goes by the clock that leaps."""

    @classmethod
    def at(cls, door: Door, **more: object) -> "AcmeFleet":
        """Make one with a certificate that is not issued yet; `more` are settings of the Issuer."""
        return cls.of({NAME: Leaf("le", names=OLD, key=P256)}, door, **more)

    @classmethod
    def of(cls, leaves: dict[str, Leaf], door: Door, **more: object) -> "AcmeFleet":
        """Make one with several; their keys are of a kind that an ACME CA takes."""
        now = datetime.now(UTC).replace(microsecond=0)
        made = cls(cas={}, leaves=leaves, publish=False, now=now, door=door)
        made.issuers = {"le": IssuerSpec(acme=acme_ca_rig.settings(door, **more))}
        return made

    def ask(self, _config: IssuerConfig) -> Issuer:
        return self.issuer()

    def issuer(self, **other: object) -> AcmeIssuer:
        """The Issuer's account for one run; `other` are settings in place of the document's."""
        told = self.issuers["le"].acme
        assert told is not None
        settings = told.model_copy(update=other)
        made = AcmeIssuer(settings, self.keyring_of_acme, self.door.anchors, self.patience)
        made.sleep, made.clock = self.haste.sleep, self.clock
        if self.hurried:
            made.ticks = self.haste.ticks
        return made

    @property
    def record(self) -> CertificateRecord:
        """What the ledger says of the certificate."""
        return self.journal.state.certificates[NAME]

    @property
    def attempts(self) -> Attempts:
        """What it says of failures."""
        found = self.record.attempts
        assert found is not None
        return found

    @property
    def spent(self) -> tuple[Spent, ...]:
        """What was written down as spent."""
        return tuple(s for record in self.journal.state.spending.values() for s in record.orders)

    @property
    def sold(self) -> int:
        """How many certificates the ledger holds as issued, ever."""
        return sum(i.status is Status.ISSUED for i in self.record.issuances)

    def covers(self, names: tuple[str, ...]) -> bool:
        """Whether the certificate in use was issued for exactly these names."""
        request = self.current(NAME).request
        return isinstance(request, LeafRequest) and request.dns_names == names

    def want_more(self) -> "AcmeFleet":
        """Have the certificate issued anew, for one more name."""
        self.edit(NAME, names=NEW)
        return self

    def outcome(self) -> Event:
        """Apply, and return how it ended for the certificate that is to be issued."""
        with self.haste.everywhere():
            events = [e for e in self.apply() if e.status is not EventStatus.SKIPPED]
        assert events, "nothing was tried"
        return events[0]

    def later(self, **time: float) -> "AcmeFleet":
        """Let time pass until it is tried again, and so much more."""
        again = self.attempts.again_at or self.now
        self.now = max(self.now, again) + timedelta(**(time or {"seconds": 1}))
        return self

    def insist(self) -> "AcmeFleet":
        """Ask for the certificate by its address."""
        self.replace = frozenset({f"certificate/{NAME}"})
        return self
