"""Who can open the keyring and the CA keys: what the documents say against what the ciphertext says."""

from collections.abc import Iterator, Sequence

from providers.sops.recipients import wanted_recipients
from reconciler.diff.changes import change
from reconciler.diff.world import World
from reconciler.state import KEYRING
from schemas.plan import Action, Change, FieldChange, Reason, Source
from schemas.project import Recipient


def recipient_changes(world: World) -> Iterator[Change]:
    """Yield a change for each key that is to be encrypted to others than it is."""
    keyring = _field("recipients", world.desired.keyring, world.ledger.keyring)
    if keyring:
        yield _configure(KEYRING, (keyring,), None)
    for desired in world.desired.authorities.values():
        if desired.custody is not None:  # former generations stay with whom they are encrypted to
            continue
        fields = [
            _field(f"generation {number} recipients", desired.recipients, actual)
            for (name, number), actual in sorted(world.ledger.ca_keys.items())
            if name == desired.name
        ]
        if changed := tuple(filter(None, fields)):
            yield _configure(desired.address, changed, desired.source)


def _field(
    path: str, wanted: Sequence[Recipient], actual: frozenset[str] | None
) -> FieldChange | None:
    """Say how one key's recipients differ; None when they do not, or nobody can tell."""
    if actual is None or (names := wanted_recipients(wanted, actual)) == actual:
        return None
    return FieldChange(path=path, before=sorted(actual), after=sorted(names))


def _configure(address: str, fields: tuple[FieldChange, ...], source: Source | None) -> Change:
    return change(
        address,
        Action.CONFIGURE,
        Reason.RECIPIENTS_CHANGED,
        "its key is encrypted anew, for others" if source else "it is encrypted anew, for others",
        identity={field.path: [field.before, field.after] for field in fields},
        source=source,
        fields=fields,
    )
