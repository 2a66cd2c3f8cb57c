"""Encrypting the keyring and CA keys anew, to those the documents name: opened and sealed in memory."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from providers.errors import ProviderError
from providers.sops.recipients import recipients_of, wanted_recipients
from reconciler.apply.session import Outcome, Session, named, owner
from reconciler.ledger.contract import Wave
from reconciler.state import KEYRING
from schemas.plan import Change
from schemas.project import Recipient


@dataclass(slots=True)
class Sealed:
    """What is encrypted anew, before it is recorded."""

    keyring: bytes | None = None
    ca_keys: dict[tuple[str, int], bytes] = field(default_factory=dict)


def encrypt_anew(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Give keys their new recipients in one durable step; each gets a new data key with them."""
    sealed, done = Sealed(), []
    for change in changes:
        try:
            _seal(session, change, sealed)
            done.append(change)
        except ProviderError as why:
            yield Outcome(change, str(why))
    if sealed.keyring or sealed.ca_keys:
        session.journal.write(
            Wave(
                message=f"Encrypt {named(done)} anew",
                keyring=sealed.keyring,
                authority_keys=sealed.ca_keys,
            )
        )
    yield from (Outcome(change) for change in done)


def _seal(session: Session, change: Change, sealed: Sealed) -> None:
    if change.address == KEYRING:
        wanted = session.world.desired.keyring
        sealed.keyring = _sealed(session, session.journal.keyring(), wanted)
        return
    authority = session.world.desired.authorities[owner(change)]
    numbers = [number for name, number in session.world.ledger.ca_keys if name == authority.name]
    fresh = {
        (authority.name, number): _sealed(
            session, session.journal.authority_key(authority.name, number), authority.recipients
        )
        for number in numbers
    }
    sealed.ca_keys |= {which: key for which, key in fresh.items() if key is not None}


def _sealed(session: Session, ciphertext: bytes, wanted: Sequence[Recipient]) -> bytes | None:
    """Return a key for its new recipients; None when they are the ones it has."""
    actual = frozenset(recipients_of(ciphertext))
    if wanted_recipients(wanted, actual) == actual:
        return None
    return session.sops.encrypt(session.sops.decrypt(ciphertext), wanted)
