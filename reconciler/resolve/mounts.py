"""CAs whose key Vault makes and keeps: what can be asked of them, and what signs by them."""

from collections.abc import Iterable, Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.resolve.catalogue import Catalogue, Entry
from reconciler.resolve.drafts import Draft, section
from reconciler.resolve.keystores import HINT, SealedFiles
from reconciler.state import DesiredAuthority
from schemas.authority import AuthoritySpec
from schemas.capabilities import ECDSA_SIZES, RSA_SIZES
from schemas.certificate import Algorithm

_SIZES = {Algorithm.ECDSA: ECDSA_SIZES, Algorithm.RSA: RSA_SIZES}


def check_mounted(
    desired: Mapping[str, DesiredAuthority],
    everything: Catalogue,
    drafts: Iterable[Draft],
    files: Mapping[str, bytes],
) -> Iterator[Diagnostic]:
    """Yield what is wrong with CAs whose key is in a mount, and with everything that asks one to sign."""
    mounted = {name for name, authority in desired.items() if authority.mounted is not None}
    if not mounted:
        return
    first: dict[object, str] = {}
    for name in sorted(mounted):
        entry = everything.authorities.entries[name]
        yield from _check(desired[name], entry, everything)
        yield from _check_secrets(desired[name], entry, SealedFiles(files))
        custody = desired[name].mounted
        if custody and (other := first.setdefault(custody.mount, name)) != name:
            place = entry.document.at("spec", "privateKey", "custody")
            hint = "a mount signs by default under one CA: give each a mount of its own"
            yield error(f"the mount of {name} is that of {other}, too", place, hint=hint)
    for name, authority in desired.items():
        if (parent := authority.request.issuer) in mounted:
            at = everything.authorities.entries[name].document.at("spec", "parentRef")
            yield error(_signs(str(parent)), at, hint=_INSTEAD)
    for draft in drafts:
        issuer = section(draft.data, "spec").get("issuerRef")
        if isinstance(issuer, str) and issuer in mounted:
            yield error(_signs(issuer), draft.at("spec", "issuerRef"), hint=_INSTEAD)


_INSTEAD = "write an Issuer of kind vault with this mount and a role, and refer to that"


def _signs(name: str) -> str:
    return f"certform signs nothing with the key of {name}: Vault keeps it"


def _check(
    authority: DesiredAuthority, entry: Entry[AuthoritySpec], everything: Catalogue
) -> Iterator[Diagnostic]:
    spec, place = entry.spec, entry.document
    custody = place.at("spec", "privateKey", "custody")
    if spec.parent_ref is None:
        summary = "Vault's own root is no CA of ours: what it keeps here is signed by one"
        yield error(summary, custody, hint="name it in parentRef; a root of Vault's is an Issuer")
    elif spec.parent_ref in everything.issuers.names:
        summary = (
            f"{spec.parent_ref} is no CA of ours, and Vault's CAs sign each other without certform"
        )
        yield error(summary, place.at("spec", "parentRef"), hint="refer to an Authority")
    if spec.ocsp is not None:
        summary = "Vault answers for what it signs"
        yield error(summary, place.at("spec", "ocsp"), hint="leave it out, or set it up in Vault")
    if "crl" in spec.model_fields_set and spec.generation == 1:
        summary = "Vault signs the lists of what it signs: crl does nothing"
        yield warning(summary, place.at("spec", "crl"), hint="leave it out")
    key = authority.request.key
    if key.size not in _SIZES.get(key.algorithm, ()):
        known = "; ".join(f"{name} {', '.join(map(str, s))}" for name, s in _SIZES.items())
        where = place.at("spec", "privateKey", "algorithm")
        yield error(f"Vault makes no {key} key for a CA here", where, hint=f"it makes {known}")


def _check_secrets(
    authority: DesiredAuthority, entry: Entry[AuthoritySpec], sealed: SealedFiles
) -> Iterator[Diagnostic]:
    for reference in authority.mounted.secrets if authority.mounted else ():
        if reference.name in sealed.files and sealed.ciphertext(reference) is None:
            summary = f"{reference.name} holds no secret under {reference.key} that sops encrypted"
            at = entry.document.at("spec", "privateKey", "custody", "vault", "auth")
            yield error(summary, at, hint=HINT)
