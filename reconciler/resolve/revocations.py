"""Revocations: whom they name, for which reasons, and which CAs move on for them."""

from collections.abc import Collection, Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.suggest import nearest
from reconciler.resolve.authorities import Family
from reconciler.resolve.catalogue import Catalogue, Entry
from reconciler.state import DesiredRevocation
from schemas.revocation import RevocationReason, RevocationSpec

GUARDED = "revocations/"
"""Where a document may revoke a CA: whoever owns some other folder approves no such thing alone."""
_HINTED = 50
"""How many names of one Revocation that nobody has are compared with those there are."""


def desired_revocation(entry: Entry[RevocationSpec]) -> DesiredRevocation:
    """Return what a Revocation asks for."""
    spec = entry.spec
    return DesiredRevocation(
        name=entry.name,
        source=entry.document.at(),
        certificates=spec.certificates,
        issued_before=spec.issued_before,
        serials=spec.serials,
        reason=spec.reason,
        authority=spec.authority_ref,
        generation=spec.generation,
        immediate=spec.immediate,
    )


def check_revocations(
    everything: Catalogue, certificates: Collection[str], families: Mapping[str, Family]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with Revocations, and which Authorities they move on.

    `certificates` are the names that documents give.
    """
    for entry in everything.revocations.entries.values():
        yield from _names(entry, certificates)
        yield from _reason(entry)
        yield from _guarded(entry)
        yield from _generation(entry, everything.authorities.names, families)
    for name in sorted(families):
        yield from _moved_on(name, families[name])


def _names(entry: Entry[RevocationSpec], known: Collection[str]) -> Iterator[Diagnostic]:
    """Yield a warning for every name that no certificate has: it may be gone, or misspelt."""
    for index, name in enumerate(entry.spec.certificates):
        if name not in known:
            place = entry.document.at("spec", "certificates", index)
            detail = "It is revoked if the ledger knows it."
            summary = f'there is no Certificate called "{name}"'
            hint = nearest(name, known) if index < _HINTED else ""
            yield warning(summary, place, detail=detail, hint=hint)


def _reason(entry: Entry[RevocationSpec]) -> Iterator[Diagnostic]:
    """Yield that a leaf's key is no CA's; whose a serial is, the ledger tells, and the plan with it."""
    if entry.spec.certificates and entry.spec.reason is RevocationReason.CA_COMPROMISE:
        yield error(
            "cACompromise is said of the certificate of a CA alone",
            entry.document.at("spec", "reason"),
            hint="write keyCompromise; to revoke a CA, name authorityRef and generation",
        )


def _guarded(entry: Entry[RevocationSpec]) -> Iterator[Diagnostic]:
    """Yield that a CA is revoked from a folder that those who guard the CAs need not guard."""
    if entry.spec.generation is not None and not entry.document.file.startswith(GUARDED):
        yield error(
            "a Revocation of a CA's generation belongs below revocations/",
            entry.document.at("spec", "authorityRef"),
            hint="move it there, where those approve it who guard the CAs",
        )


def _generation(
    entry: Entry[RevocationSpec], known: Collection[str], families: Mapping[str, Family]
) -> Iterator[Diagnostic]:
    spec, place = entry.spec, entry.document
    name, number = spec.authority_ref, spec.generation
    if name is None or number is None:
        return
    if name not in known:
        summary = f'there is no Authority called "{name}"'
        gone = "If it left the documents, this can go, too: what is revoked stays revoked."
        hint = nearest(name, known)
        yield error(summary, place.at("spec", "authorityRef"), detail=gone, hint=hint)
        return
    family = families.get(name)
    newest = family.ready or family.generation if family else number
    if number > newest:
        yield warning(
            f"authority/{name} is to have no generation {number}: its newest is {newest}",
            place.at("spec", "generation"),
            hint="was another one meant? One that is revoked, and was never issued, never is",
        )


def _moved_on(name: str, family: Family) -> Iterator[Diagnostic]:
    """Yield that an Authority goes on with another generation than it says."""
    said, now = family.entry.spec.generation, family.generation
    if now != said:
        yield warning(
            f"authority/{name} goes on with generation {now}: write generation: {now}",
            family.entry.document.at("spec", "generation"),
            detail=f"Generation {said} is revoked.",
            hint="do so in the same pull request: the Revocation may be deleted some day",
        )
