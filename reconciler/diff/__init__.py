"""The diff: from desired, observed and ledger, at one moment, to the changes that make them agree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.diagnostics import Diagnostic
from reconciler.diff.anchors import anchor_warnings
from reconciler.diff.authorities import prospects_of, unasked_generations
from reconciler.diff.bundles import bundle_changes
from reconciler.diff.certificates import certificate_changes
from reconciler.diff.changes import blocked
from reconciler.diff.compromise import marked
from reconciler.diff.connecting import connected
from reconciler.diff.early import renewal_warnings
from reconciler.diff.endings import ending_changes
from reconciler.diff.hosting import hosting_changes
from reconciler.diff.keys import key_changes
from reconciler.diff.mounts import mount_changes
from reconciler.diff.past import past_changes
from reconciler.diff.patience import patient
from reconciler.diff.publications import publication_changes
from reconciler.diff.quotas import quota_changes
from reconciler.diff.recipients import recipient_changes
from reconciler.diff.removals import removal_changes, superseded_changes
from reconciler.diff.revocations import (
    Wanted,
    revocation_changes,
    revocation_warnings,
    wanted_revocations,
)
from reconciler.diff.takeovers import after_takeovers
from reconciler.diff.withdrawals import held_changes, note_changes, withdrawal_changes
from reconciler.diff.withholding import unasked
from reconciler.diff.world import World
from schemas.plan import Action, Change, Reason

__all__ = ["World", "diff", "plan_warnings", "revocation_warnings"]


def plan_warnings(world: World, changes: Sequence[Change]) -> Iterator[Diagnostic]:
    """Yield what documents ask for and a plan will not achieve."""
    yield from revocation_warnings(world, changes)
    yield from anchor_warnings(world)
    yield from unasked_generations(world)
    yield from renewal_warnings(world, changes)


def diff(world: World) -> tuple[Change, ...]:
    """Return every change, by address; what a change requires is among them, or done already."""
    changes = after_takeovers(_changes(world))
    if world.base is not None:
        changes = connected(world, changes)
    return _settle(changes)


def _changes(world: World) -> list[Change]:
    revoking = wanted_revocations(world)
    above = prospects_of(world, revoking)
    trusting, told = tuple(bundle_changes(world, above.changes)), tuple(note_changes(world))
    world, held = patient(above)
    changes = [*_unknown_targets(world), *above.changes, *trusting, *told]
    for certificate in world.desired.certificates.values():
        if issuer := world.desired.hosting(certificate):
            asked = hosting_changes(world, certificate, issuer)
            changes.extend(unasked(world, certificate, asked))
            continue
        changes.extend(
            certificate_changes(world, certificate, above, _by(revoking, world, certificate.name))
        )
    changes.extend(mount_changes(world, above.changes))
    changes.extend(held.values())  # says more of a certificate than what else stands in its way
    owners = _by_owner(changes)
    changes.extend(superseded_changes(world, owners))
    changes.extend(removal_changes(world, owners))
    changes.extend(revocation_changes(world, revoking, _by_owner(changes)))
    changes.extend(held_changes(world))
    changes.extend(withdrawal_changes(world, _by_owner(changes)))
    changes.extend(past_changes(world))
    revoked = {step.address for step in changes if step.action is Action.REVOKE}
    happening = {s: item for s, item in revoking.items() if item.address in revoked}
    changes.extend(publication_changes(world, happening, tuple(changes)))
    changes.extend(key_changes(world, _by_owner(changes)))
    changes.extend(recipient_changes(world))
    changes.extend(ending_changes(world))
    changes.extend(quota_changes(world, tuple(changes)))
    return marked(world, changes)


def _by(revoking: Mapping[str, Wanted], world: World, name: str) -> str | None:
    """Name the Revocation that is about to revoke a certificate's current serial."""
    record = world.records.get(name) if revoking else None
    current = record.current if record else None
    item = revoking.get(current.serial) if current else None
    return item.by if item else None


def _settle(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Sort changes and what they require, and drop requirements that nothing planned stands for."""
    planned = {step.id: step for step in changes}
    ordered = sorted(planned.values(), key=lambda step: (step.address, step.action))
    return tuple(_requiring(step, planned) for step in ordered)


def _requiring(step: Change, planned: Mapping[str, Change]) -> Change:
    requires = tuple(sorted(id_ for id_ in step.requires if id_ in planned))
    follows = tuple(sorted(id_ for id_ in step.follows if id_ in planned))
    if (requires, follows) == (step.requires, step.follows):
        return step
    return step.model_copy(update={"requires": requires, "follows": follows})


def _unknown_targets(world: World) -> Iterator[Change]:
    for target in world.desired.targets.values():
        observation = world.observation(target.name)
        if observation.status == "unknown":
            yield blocked(
                f"target/{target.name}",
                Reason.TARGET_UNKNOWN,
                observation.detail,
                source=target.source,
            )


def _by_owner(changes: Iterable[Change]) -> dict[str, list[Change]]:
    owners: dict[str, list[Change]] = {}
    for step in changes:
        owners.setdefault(step.address.partition("@")[0], []).append(step)
    return owners
