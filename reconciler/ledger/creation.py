"""Making a ledger, which only `certform init` does."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from providers.failpoints import reach
from reconciler.errors import LedgerRefused
from reconciler.ledger import keyring, layout
from reconciler.ledger.keyring import Cipher
from reconciler.ledger.objects import Commit, object_format, signed, store, trees
from reconciler.ledger.reader import read_lineage, signed_commit
from reconciler.ledger.records import Lineage
from reconciler.ledger.refs import Tips
from reconciler.ledger.store import Store, open_store
from schemas.project import LedgerSettings, Recipient


def existing_lineage(repository: Path, settings: LedgerSettings) -> Lineage | None:
    """Return which ledger is already there, None when none is; for an `init` that was cut short.

    Raises `LedgerRefused` when what is there is not signed by the key it names.
    """
    place = open_store(repository, settings)
    tip = place.tips().ledger
    if tip is None:
        return None
    lineage = read_lineage(place.git, tip)
    signed_commit(place.git, tip, lineage.public_key)
    return lineage


def create_ledger(
    repository: Path,
    project: str,
    settings: LedgerSettings,
    recipients: Sequence[Recipient],
    cipher: Cipher,
    now: datetime,
) -> Lineage:
    """Make an empty ledger and return its lineage, whose `public_key` belongs into the Project.

    Raises `LedgerRefused` when there is one, or ever was as far as this clone knows.
    """
    place = open_store(repository, settings)
    tips = place.tips()
    _refuse_existing(place, tips)
    ring = keyring.generate()
    lineage = Lineage(
        id=secrets.token_hex(8),
        project=project,
        created_at=now.replace(microsecond=0),
        public_key=ring.public_key,
        leaf_recipient=ring.leaf_recipient,
    )
    ciphertext = keyring.sealed(ring, recipients, cipher)
    contents = {layout.LINEAGE: layout.encode(lineage), layout.KEYRING: ciphertext}
    naming = object_format(place.git)
    blobs = {path: naming.object("blob", content) for path, content in contents.items()}
    folders = trees(naming, {path: blob.id for path, blob in blobs.items()})
    draft = Commit(folders[-1].id, None, f"Begin the ledger of {project}", now)
    commit = signed(naming, draft, ring.signing_key)
    reach("ledger.create")
    store(place.git, naming, [*blobs.values(), *folders, commit])
    place.move(tips, Tips(commit.id, tips.keys, tips.lock))
    return lineage


def _refuse_existing(place: Store, tips: Tips) -> None:
    known = tips.ledger or place.local().ledger or place.tracked().ledger or place.seen()
    if known is not None:
        raise LedgerRefused(
            f"there is, or was, a ledger ({place.place}; this clone knows {known[:12]})",
            hint="certform ledger recover",
        )
