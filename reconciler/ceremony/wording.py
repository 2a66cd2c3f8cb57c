"""What is read at the table: a request or an answer in plain words, nothing of it for a terminal to obey."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from providers.x509 import facts
from providers.x509.profile import subject_name
from reconciler.ceremony.papers import AskedCertificate, AskedCrl, Request, groups
from reconciler.ceremony.signing import Signed, in_order, named
from reconciler.render.escape import visible
from schemas.authority import NameForms
from schemas.scalars import format_duration, format_instant

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
    for number, asked in enumerate(in_order(request), 1):
        lines += ["", *_certificate(number, asked, signed)]
    for number, crl in enumerate(request.crls, 1 + len(request.certificates)):
        lines += ["", *_crl(number, crl, signed)]
    if not request.certificates and not request.crls:
        lines += ["", "Nothing waits for an offline key."]
    return "\n".join(visible(line) for line in lines)


def digest_lines(request: Request) -> Iterator[str]:
    """Yield the digest of a request in groups of four, eight a line."""
    found = groups(request.digest).split()
    yield "SHA-256 of the request, to be read aloud:"
    yield f"    {' '.join(found[:8])}"
    yield f"    {' '.join(found[8:])}"


def _certificate(number: int, asked: AskedCertificate, signed: Signed) -> Iterator[str]:
    issuance, request = asked.issuance, asked.request
    yield f"{number}. {named(asked)}: {_kind(asked)}"
    subject = subject_name(request.subject, request.common_name)
    yield f"   subject     {subject.rfc4514_string()}"
    yield f"   valid       {format_instant(issuance.not_before)} to {format_instant(issuance.not_after)}"
    yield f"               ({_days(issuance.not_after - issuance.not_before)})"
    yield f"   key         {request.key}, {_key(asked, signed)}"
    yield f"   serial      {issuance.serial}"
    below = request.path_length
    yield f"   CAs below   {'any number of levels' if below is None else below}"
    yield from _constraints(asked)
    for what, url in (("CRL", issuance.urls.crl), ("issuer", issuance.urls.issuer)):
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
    for label, forms in (("permits", found.permitted), ("excludes", found.excluded)):
        for text in _forms(forms):
            yield f"   {label:<12}{text}"


def _forms(forms: NameForms) -> Iterator[str]:
    said: dict[str, Sequence[Any]] = forms.model_dump(mode="json", by_alias=True)
    for kind, values in said.items():
        if values:
            yield f"{kind}: {', '.join(map(str, values))}"


def _crl(number: int, asked: AskedCrl, signed: Signed) -> Iterator[str]:
    yield f"{number}. CRL {asked.name} of authority/{asked.authority}, generation {asked.generation}"
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
