"""Which part of a plan is meant: by address, by label, or only what time has made due."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from reconciler.address import covers, owner
from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.suggest import nearest
from reconciler.published_names import list_key
from reconciler.state import (
    KEYRING,
    Desired,
    DesiredAuthority,
    DesiredBundle,
    DesiredCertificate,
)
from schemas.plan import Action, Change

_FORMS = (
    "an address is certificate/NAME, certificate/NAME@TARGET, authority/NAME, bundle/NAME or"
    " target/NAME"
)
_TAKES_TRUST = frozenset({Action.REVOKE, Action.REMOVE})
_Labelled = DesiredAuthority | DesiredCertificate | DesiredBundle


@dataclass(frozen=True, slots=True)
class Selection:
    """Addresses (`certificate/web` covers its installs), labels, and `due_only`; empty means all."""

    addresses: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None
    due_only: bool = False

    def __bool__(self) -> bool:
        return bool(self.addresses or self.labels or self.due_only)

    def words(self) -> tuple[str, ...]:
        """The selection as it was asked for."""
        labels = tuple(f"{key}={value}" for key, value in (self.labels or {}).items())
        return (*self.addresses, *labels, *(("due",) if self.due_only else ()))


def select(changes: Sequence[Change], selection: Selection, desired: Desired) -> tuple[Change, ...]:
    """Return the changes that are meant, and those they require, in the order they came.

    What takes trust away comes with all that takes its place, though it would not wait for that.
    """
    if not selection:
        return tuple(changes)
    by_id = {step.id: step for step in changes}
    kept: dict[str, Change] = {}
    waiting = [step for step in changes if _meant(step, selection, desired)]
    while waiting:
        step = waiting.pop()
        if step.id not in kept:
            kept[step.id] = step
            first = (*step.requires, *(step.follows if step.action in _TAKES_TRUST else ()))
            waiting.extend(by_id[id_] for id_ in first if id_ in by_id)
    chosen = [step for step in changes if step.id in kept]
    return _due_closure(chosen) if selection.due_only else tuple(chosen)


def _meant(step: Change, selection: Selection, desired: Desired) -> bool:
    if selection.due_only and not step.due and step.action is not Action.BLOCKED:
        return False
    whose = {step.address, _whose(step.address)}
    if selection.addresses and not any(covers(a, b) for a in selection.addresses for b in whose):
        return False
    return not selection.labels or any(labelled(b, selection.labels, desired) for b in whose)


def _whose(address: str) -> str:
    """Return what brings a change along: what is handed over to Vault, the CA that it is."""
    is_handed = address.partition("/")[0] == "mount"
    return f"authority/{list_key(address)[0]}" if is_handed else address


def _due_closure(steps: Sequence[Change]) -> tuple[Change, ...]:
    """Leave out what requires, at any remove, a change that is not due."""
    undue = {step.id for step in steps if not step.due and step.action is not Action.BLOCKED}
    while more := {s.id for s in steps if s.id not in undue and undue.intersection(s.requires)}:
        undue |= more
    return tuple(step for step in steps if step.id not in undue)


def labelled(address: str, labels: Mapping[str, str], desired: Desired) -> bool:
    """Whether the document that an address belongs to has all these labels."""
    kind, name = address.partition("/")[0], owner(address)
    tables: Mapping[str, Mapping[str, _Labelled]] = {
        "certificate": desired.certificates,
        "authority": desired.authorities,
        "bundle": desired.bundles,
    }
    found = tables.get(kind, {}).get(name)
    have = found.labels if found else {}
    return all(have.get(key) == value for key, value in labels.items())


def parse_labels(text: str) -> Mapping[str, str] | Diagnostic:
    """Parse `team=shop,env=prod`."""
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(key and sign for key, sign, _ in pairs):
        return error(f"--selector {text!r} is not KEY=VALUE[,KEY=VALUE...]")
    return {key.strip(): value.strip() for key, _, value in pairs}


def unknown_addresses(
    addresses: Sequence[str], changes: Sequence[Change], desired: Desired
) -> tuple[Diagnostic, ...]:
    """Return an error for each address that names neither a document nor a change."""
    known = {step.address for step in changes}
    known |= {KEYRING, *(a.address for a in desired.authorities.values())}
    known |= {f"target/{name}" for name in desired.targets}
    installed: tuple[DesiredCertificate | DesiredBundle, ...] = (
        *desired.certificates.values(),
        *desired.bundles.values(),
    )
    known |= {
        address
        for c in installed
        for address in (c.address, *(f"{c.address}@{i.target}" for i in c.installs))
    }
    return tuple(
        error(f"there is no {address}", hint=nearest(address, known) or _FORMS)
        for address in addresses
        if address not in known and not any(covers(address, other) for other in known)
    )


def irreplaceable(addresses: Sequence[str], desired: Desired) -> tuple[Diagnostic, ...]:
    """Return an error for each address that is no certificate, and so cannot be issued anew."""
    known = {certificate.address for certificate in desired.certificates.values()}
    return tuple(
        error(f"--replace takes certificates, not {address}", hint=_instead(address, known))
        for address in addresses
        if address not in known
    )


def _instead(address: str, known: Collection[str]) -> str:
    if address.startswith("authority/"):
        return "to replace a CA, raise `generation` in its document"
    return nearest(address, known)


def unmatched_labels(labels: Mapping[str, str], desired: Desired) -> tuple[Diagnostic, ...]:
    """Return a warning when no certificate, no authority and no bundle has all these labels."""
    documents: tuple[_Labelled, ...] = (
        *desired.authorities.values(),
        *desired.certificates.values(),
        *desired.bundles.values(),
    )
    if any(labelled(document.address, labels, desired) for document in documents):
        return ()
    asked = [f"{key}={value}" for key, value in labels.items()]
    there = {f"{key}={value}" for document in documents for key, value in document.labels.items()}
    hints = (nearest(label, there) for label in asked if label not in there)
    summary = f"nothing has the labels {', '.join(asked)}"
    return (warning(summary, hint=next(hints, "no document has all of them")),)
