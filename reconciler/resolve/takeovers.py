"""Which CAs existed before, and who may refer to one that signs nothing any more."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from reconciler.resolve.catalogue import Entry, Shelf
from reconciler.resolve.drafts import Draft, section
from reconciler.state import DesiredAuthority
from reconciler.takeover import Takeover
from schemas.authority import AuthoritySpec
from schemas.custody import Kept, SopsKey


def takeovers(
    shelf: Shelf[AuthoritySpec], files: Mapping[str, bytes], found: list[Diagnostic]
) -> Mapping[str, Takeover]:
    """Return the CAs that existed before, by the name of their Authority."""
    found += (finding for entry in shelf.entries.values() for finding in _check(entry))
    if not any(entry.spec.existing for entry in shelf.entries.values()):
        return {}
    from reconciler.resolve.existing import read_existing  # noqa: PLC0415 - certificates are seldom read here

    return read_existing(shelf, files, found)


def _check(entry: Entry[AuthoritySpec]) -> Iterator[Diagnostic]:
    spec, place = entry.spec, entry.document
    kept = spec.private_key.custody
    if spec.existing is None and (isinstance(kept, SopsKey) or kept is Kept.NONE):
        summary = f"custody {kept.reference} is for a CA that existed before"
        hint = "name its certificate in spec.existing, or leave custody out for a new key in the ledger"
        yield error(summary, place.at("spec", "privateKey", "custody"), hint=hint)


def check_anchors(
    desired: Mapping[str, DesiredAuthority],
    shelf: Shelf[AuthoritySpec],
    drafts: Iterable[Draft],
) -> Iterator[Diagnostic]:
    """Yield a finding for everything that asks a CA to sign whose key is nobody's here."""
    anchors = {name for name, authority in desired.items() if authority.is_anchor}
    if not anchors:
        return
    for name, authority in desired.items():
        parent, place = authority.request.issuer, shelf.entries[name].document
        own = authority.existing
        inherits = own is not None and own.generation == authority.request.generation
        if parent in anchors and not inherits:
            yield _nobody(parent, place, "spec", "parentRef")
        if name in anchors and authority.crossed:
            yield _nobody(name, place, "spec", "crossSign")
    for draft in drafts:
        issuer = section(draft.data, "spec").get("issuerRef")
        if isinstance(issuer, str) and issuer in anchors:
            yield _nobody(issuer, draft, "spec", "issuerRef")


def _nobody(name: str, place: Place, *path: str) -> Diagnostic:
    summary = f"{name} signs nothing: nobody here has its key (custody: none)"
    hint = "refer to a CA whose key is at hand"
    return error(summary, place.at(*path), hint=hint)
