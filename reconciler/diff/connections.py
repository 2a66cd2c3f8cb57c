"""Who is spoken to, and as whom: what the documents say of it, against those they are proposed against.

What is wanted alone is a change's identity, so that a change that was reviewed is the same one whatever
it is compared with by the time it is applied.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.diff.changes import change
from reconciler.ledger.records import LedgerState
from reconciler.state import Desired, DesiredAuthority, DesiredTarget
from schemas.custody import RemoteKey
from schemas.plan import Action, Change, FieldChange, Reason, Source

PROJECT_FILE = Source(file="certform.yaml")
"""Where the Project is."""
KINDS = frozenset({"target", "issuer", "custody", "project"})
"""What the addresses of such changes begin with."""
_PASSWORD = re.compile(r"(?<=://)[^/\s]*@")


@dataclass(frozen=True, slots=True)
class Connection:
    """What one document says of who is spoken to, by the path of each field."""

    fields: Mapping[str, Any]
    source: Source


def is_connection(step: Change) -> bool:
    """Whether a change is one of who is spoken to: nothing is done for it but to take note."""
    return step.action is Action.CONFIGURE and step.address.partition("/")[0] in KINDS


def is_elsewhere(target: DesiredTarget, base: Desired) -> bool:
    """Whether a target is new against the base, or another place than the one called so there."""
    former = base.targets.get(target.name)
    return former is None or former.spec.whereabouts != target.spec.whereabouts


def publishes_elsewhere(desired: Desired, base: Desired) -> bool:
    """Whether documents publish, in a directory in which the base does not."""
    wanted, former = desired.publish, base.publish
    return wanted is not None and (former is None or wanted.to != former.to)


def connection_changes(
    desired: Desired, base: Desired, ledger: LedgerState | None = None
) -> Iterator[Change]:
    """Yield a change for each document that says other things of who is spoken to than the base.

    `ledger` tells how much stays at a place that a target leaves; it is no part of any fingerprint.
    """
    before = _connections(base, desired.project)
    for address, wanted in _connections(desired, desired.project).items():
        former = before.get(address)
        had = former.fields if former else {}
        if had != wanted.fields:
            message = _message(desired, base, address, had, wanted, ledger)
            yield _configure(address, had, wanted, message)


def _configure(address: str, had: Mapping[str, Any], wanted: Connection, message: str) -> Change:
    fields = (
        FieldChange(path=path, before=_shown(had.get(path)), after=_shown(wanted.fields.get(path)))
        for path in _differing(had, wanted.fields)
    )
    return change(
        address,
        Action.CONFIGURE,
        Reason.CONNECTION_CHANGED,
        message,
        identity=dict(wanted.fields),
        source=wanted.source,
        fields=tuple(fields),
    )


def _differing(had: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    return [path for path in {**wanted, **had} if had.get(path) != wanted.get(path)]


def _shown(value: Any) -> Any:
    """Return a value without a password that somebody wrote into an address, against all advice."""
    return _PASSWORD.sub("", value) if isinstance(value, str) else value


def _connections(documents: Desired, project: str) -> Mapping[str, Connection]:
    """Return what documents say of who is spoken to, by address; the Project's goes by a given name."""
    publish = documents.publish.connection("publish.") if documents.publish else {}
    ours = {**documents.ledger.connection("ledger."), **publish}
    return {
        f"project/{project}": Connection(ours if documents.project else {}, PROJECT_FILE),
        **{
            f"target/{target.name}": Connection(target.spec.connection(), target.source)
            for target in documents.targets.values()
        },
        **{
            f"issuer/{issuer.name}": Connection(
                {
                    **issuer.spec.connection(),
                    **_believed(f"{issuer.spec.kind}.", issuer.spec.ca_bundle, issuer.files),
                },
                issuer.source,
            )
            for issuer in documents.issuers.values()
        },
        **{
            f"custody/{ca.name}": Connection(_custody(ca), ca.source)
            for ca in documents.authorities.values()
        },
    }


def _custody(ca: DesiredAuthority) -> Mapping[str, Any]:
    """Return how the keys of a CA are reached, also that of one that existed before a later generation."""
    reached = ca.remote or ca.mounted
    own = dict(reached.connection()) if reached else {}
    if ca.mounted is not None:
        own |= _believed("vault.", ca.mounted.vault.ca_bundle, ca.files)
    before = ca.existing.custody if ca.existing else None
    if not isinstance(before, RemoteKey) or before == ca.remote:
        return own
    return {**own, **{f"existing.{path}": value for path, value in before.connection().items()}}


def _believed(above: str, ca_bundle: str | None, files: Mapping[str, bytes]) -> Mapping[str, str]:
    """Return by what it is told who a server is: the file may stay where it is, and say something else."""
    content = files.get(ca_bundle) if ca_bundle else None
    return {f"{above}caBundle.sha256": hashlib.sha256(content).hexdigest()} if content else {}


def _message(
    desired: Desired,
    base: Desired,
    address: str,
    had: Mapping[str, Any],
    wanted: Connection,
    ledger: LedgerState | None,
) -> str:
    kind, _, name = address.partition("/")
    if not had:
        return "new here"
    if kind == "target" and is_elsewhere(desired.targets[name], base):
        return _moved(name, _placed(ledger, name))
    changed = (
        path for path in {**had, **wanted.fields} if had.get(path) != wanted.fields.get(path)
    )
    return f"{', '.join(changed)} changed"


def _moved(name: str, number: int) -> str:
    """Say what becomes of what is installed at the place that a target leaves."""
    if not number:
        return "another place"
    stay = "1 certificate stays" if number == 1 else f"{number:,} certificates stay"
    return (
        f"another place; {stay} installed at the old one, where nobody will look after them: to have them"
        f" removed, keep {name} as it is, and give the certificates a new Target instead"
    )


def _placed(ledger: LedgerState | None, target: str) -> int:
    """How many certificates the ledger knows to be installed in a target."""
    records = ledger.certificates.values() if ledger else ()
    return sum(p.serial is not None and p.target == target for r in records for p in r.placements)
