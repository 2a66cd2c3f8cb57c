"""What an offline CA is asked for that no ceremony gives."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.resolve.catalogue import Shelf
from reconciler.resolve.drafts import Draft, section
from reconciler.state import DesiredAuthority
from schemas.authority import AuthoritySpec


def check_offline(
    desired: Mapping[str, DesiredAuthority],
    shelf: Shelf[AuthoritySpec],
    drafts: Iterable[Draft],
) -> Iterator[Diagnostic]:
    """Yield a finding for every leaf below an offline CA, and every offline CA below one that is not."""
    offline = {name for name, authority in desired.items() if authority.offline}
    for name in sorted(offline):
        authority = desired[name]
        parent, own = authority.request.issuer, authority.existing
        stands = own is not None and own.generation == authority.request.generation
        if parent is not None and parent not in offline and not stands:
            summary = f"{name} is offline, and its parent {parent} is not: {parent} would never see its key"
            place = shelf.entries[name].document.at("spec", "privateKey", "custody")
            yield error(summary, place, hint=f"keep {parent} offline, too, or {name} elsewhere")
    for draft in drafts if offline else ():
        issuer = section(draft.data, "spec").get("issuerRef")
        if isinstance(issuer, str) and issuer in offline:
            summary = f"{issuer} is offline: a ceremony signs CAs, and no leaf"
            hint = f"refer to a CA below {issuer} whose key is at hand"
            yield error(summary, draft.at("spec", "issuerRef"), hint=hint)
