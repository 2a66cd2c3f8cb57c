"""What is read at the table: a request or an answer in plain words, nothing of it for a terminal to obey."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from cryptography import x509

from providers.x509 import facts, own_name, to_der
from reconciler.ceremony.papers import AskedCertificate, AskedCrl, Generation, Request, groups
from reconciler.ceremony.signing import Signed, in_order, named, names_of
from reconciler.render.escape import visible
from schemas.authority import NameForms
from schemas.scalars import format_duration, format_instant

Names = Mapping[Generation, x509.Name]
"""The name of each CA generation, as it is in what it signs."""
_WIDTH, _MORE = 90, "      ... "
"""Columns of a line, half of them for letters that may be two columns wide, and how its rest begins."""
_MOST_ENTRIES = 100
"""Revocations that are listed one by one; nobody reads out more."""


def told(signed: Signed) -> str:
    """Return a whole paper as text: what is asked for, what of it is signed, and the digest to read aloud."""
    request = signed.request
    lines = [
        f"Ceremony of project {request.project}, ledger {request.ledger}",
        f"asked for at {format_instant(request.made_at)}",
        "",
        *digest_lines(request),
    ]
    names = names_of(signed)
    for number, asked in enumerate(in_order(request), 1):
        lines += ["", *_certificate(number, asked, signed, names)]
    for number, crl in enumerate(request.crls, 1 + len(request.certificates)):
        lines += ["", *_crl(number, crl, signed, names)]
    if not request.certificates and not request.crls:
        lines += ["", "Nothing waits for an offline key."]
    return "\n".join(part for line in lines for part in _shown(line))


def _shown(line: str) -> Iterator[str]:
    """Yield one line as a terminal can show it: nothing runs off, and nothing looks like a line of its own.

    What is not ASCII is spelt out once more: letters of two scripts may look the same.
    """
    safe = visible(line)
    yield from _folded(safe, _WIDTH if safe.isascii() else _WIDTH // 2)
    if not safe.isascii():
        spelt = safe.encode("ascii", "backslashreplace").decode()
        yield from _folded(f"   in ASCII    {spelt.strip()}", _WIDTH)


def _folded(line: str, width: int) -> Iterator[str]:
    yield line[:width]
    step = width - len(_MORE)
    yield from (_MORE + line[at : at + step] for at in range(width, len(line), step))


def digest_lines(request: Request) -> Iterator[str]:
    """Yield the digest of a request in groups of four, eight a line."""
    found = groups(request.digest).split()
    yield "SHA-256 of the request, to be read aloud:"
    yield f"    {' '.join(found[:8])}"
    yield f"    {' '.join(found[8:])}"


def _certificate(
    number: int, asked: AskedCertificate, signed: Signed, names: Names
) -> Iterator[str]:
    issuance, request = asked.issuance, asked.request
    yield f"{number}. {named(asked)}: {_kind(asked)}"
    yield f"   subject     {own_name(request).rfc4514_string()}"
    if not asked.is_self_signed:
        yield from _issuer(asked.signer, signed, names)
    yield f"   valid       {format_instant(issuance.not_before)} to {format_instant(issuance.not_after)}"
    yield f"               ({_days(issuance.not_after - issuance.not_before)})"
    yield f"   key         {request.key}, {_key(asked, signed)}"
    yield f"   serial      {issuance.serial}"
    below = request.path_length
    yield f"   CAs below   {'any number of levels' if below is None else below}"
    yield from _constraints(asked)
    if request.inherited and request.inherited.key_id is not None:
        yield f"   key id      {request.inherited.key_id}"
    urls = issuance.urls
    for what, url in (("CRL at", urls.crl), ("issuer at", urls.issuer), ("OCSP at", urls.ocsp)):
        if url:
            yield f"   {what:<12}{url}"
    if der := signed.certificates.get(issuance.serial):
        yield "   SIGNED; the signature holds. SHA-256 of the certificate, to be read aloud:"
        yield f"       {groups(facts(der).sha256)}"


def _kind(asked: AskedCertificate) -> str:
    if asked.is_self_signed:
        return "a root, signed by itself"
    name, generation = asked.signer
    return f"signed by authority/{name}, generation {generation}"


def _issuer(whose: Generation, signed: Signed, names: Names) -> Iterator[str]:
    """Yield under what name something is signed, and which certificate of that CA exists already."""
    name = names.get(whose)
    yield f"   issuer      {name.rfc4514_string() if name else 'nobody that is in this request'}"
    for ca in signed.request.standing:
        if (ca.authority, ca.generation) == whose:
            digest = facts(to_der(ca.chain[0].encode())).sha256
            yield "               whose certificate has the SHA-256"
            yield f"       {groups(digest)}"


def _days(span: timedelta) -> str:
    return format_duration(span + timedelta(seconds=1))


def _key(asked: AskedCertificate, signed: Signed) -> str:
    spki = b64decode(asked.issuance.spki)
    if not spki and (chain := signed.chains.get(asked.whose)):
        spki = facts(chain[0]).spki
    if not spki:
        return "to be made at this ceremony"
    return f"SHA-256 {groups(hashlib.sha256(spki).hexdigest()[:32])} ..."


def _constraints(asked: AskedCertificate) -> Iterator[str]:
    found = asked.request.name_constraints
    if found is None:
        yield "   names       any"
        return
    said = [
        f"   {label:<12}{text}"
        for label, forms in (("permits", found.permitted), ("excludes", found.excluded))
        for text in _forms(forms)
    ]
    yield from said or ["   names       any"]


def _forms(forms: NameForms) -> Iterator[str]:
    said: dict[str, Sequence[Any]] = forms.model_dump(mode="json", by_alias=True)
    for kind, values in said.items():
        if values:
            yield f"{kind}: {', '.join(map(str, values))}"


def _crl(number: int, asked: AskedCrl, signed: Signed, names: Names) -> Iterator[str]:
    yield f"{number}. CRL {asked.name} of authority/{asked.authority}, generation {asked.generation}"
    yield from _issuer(asked.signer, signed, names)
    yield f"   number      {asked.number}"
    yield f"   valid       {format_instant(asked.this_update)} to {format_instant(asked.next_update)}"
    for url in asked.urls:
        yield f"   only for    {url}"
    yield f"   revoked     {len(asked.entries) or 'nothing'}"
    for entry in asked.entries[:_MOST_ENTRIES]:
        yield f"     serial {entry.serial}, {entry.reason}, {format_instant(entry.at)}"
    if len(asked.entries) > _MOST_ENTRIES:
        yield f"     and {len(asked.entries) - _MOST_ENTRIES} more"
    if der := signed.crls.get(asked.name):
        yield "   SIGNED; the signature holds. SHA-256 of the CRL, to be read aloud:"
        yield f"       {groups(hashlib.sha256(der).hexdigest())}"
