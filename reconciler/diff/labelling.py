"""What an object is labelled with, and what a record is called, where that is not as it is wanted."""

from collections.abc import Iterator

from reconciler.diff.changes import change
from reconciler.diff.standing import is_relabelled, labelled_digest
from reconciler.diff.world import World
from reconciler.ledger.records import CertificateRecord
from reconciler.state import DesiredCertificate, DesiredInstall
from schemas.plan import Action, Change, Reason


def renaming(world: World, desired: DesiredCertificate) -> tuple[Change, ...]:
    """Return the change that carries a record over to a certificate's new name, if it has one."""
    old = world.renames.get(desired.name)
    if old is None:
        return ()
    return (
        change(
            desired.address,
            Action.RELABEL,
            Reason.RENAMED,
            f"was certificate/{old}",
            identity={"formerly": old},
            source=desired.source,
            before={"name": old},
            after={"name": desired.name},
        ),
    )


def relabelling(
    world: World,
    desired: DesiredCertificate,
    record: CertificateRecord,
    install: DesiredInstall,
) -> Iterator[Change]:
    """Yield the change of an object's labels where they are not those wanted."""
    found = world.installed(install)
    if found is None or not found.owned_by(world.ledger.lineage.owner):
        return
    digest = labelled_digest(world, desired, record)
    want, have = world.relabelled(desired, digest, install), dict(found.labels)
    if want == have:
        return
    names = sorted(key for key in want.keys() | have.keys() if want.get(key) != have.get(key))
    yield change(
        f"{desired.address}@{install.target}",
        Action.RELABEL,
        Reason.LABELS_CHANGED,
        f"{', '.join(names)} changed",
        # what others put there is theirs to change, also while this is being reviewed
        identity={"labels": world.labels(desired, digest, install.target)},
        requires=tuple(step.id for step in renaming(world, desired)),
        source=desired.source,
        before={"labels": {name: have.get(name) for name in names}},
        after={"labels": {name: want.get(name) for name in names}},
        outside=is_relabelled(world, desired, install, {n: have.get(n) for n in names}),
    )
