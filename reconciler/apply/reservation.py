"""Reservations: made, read back as the bytes they decide, and the URLs their certificates will name."""

from base64 import b64decode, b64encode
from datetime import datetime

from providers import x509
from providers.secret import Secret
from providers.x509 import IssuingAuthority, ToBeSigned
from reconciler.apply.session import Impossible, Session
from reconciler.crl_terms import settled_terms
from reconciler.ledger.records import Issuance, Urls
from reconciler.published_names import file_name, shard_of
from reconciler.response_terms import tree_name
from schemas.project import PublishSettings
from schemas.request import KeyType


def to_be_signed(issuance: Issuance) -> ToBeSigned:
    """Return everything a signature covers, as it was reserved."""
    return ToBeSigned(
        request=issuance.request,
        serial=issuance.serial,
        not_before=issuance.not_before,
        not_after=issuance.not_after,
        spki=b64decode(issuance.spki),
        crl_url=issuance.urls.crl,
        issuer_url=issuance.urls.issuer,
        ocsp_url=issuance.urls.ocsp,
    )


def validity(
    now: datetime, duration: int, authority: IssuingAuthority | None
) -> tuple[datetime, datetime]:
    """Return notBefore and notAfter within the issuer's own; raises `Impossible` when nothing is left."""
    try:
        return x509.validity(
            now,
            duration,
            not_before_limit=authority.not_before if authority else None,
            not_after_limit=authority.not_after if authority else None,
        )
    except ValueError as why:
        raise Impossible(str(why)) from None


def new_key(kind: KeyType) -> tuple[Secret, str]:
    """Return a new key (PKCS#8 DER), and its public half as a record holds it."""
    key = x509.generate_key(kind)
    return x509.encode_key(key), b64encode(x509.spki(key.public_key())).decode()


def public_half(key: Secret) -> str:
    """Return the public half of a key as a record holds it."""
    return b64encode(x509.spki(x509.decode_key(key).public_key())).decode()


def answers(session: Session, issuer: str | None) -> bool:
    """Whether what a CA issues from now on says where its OCSP response is."""
    desired = session.world.desired.authorities.get(issuer or "")
    return desired is not None and desired.ocsp is not None


def shard_for(session: Session, issuer: str, generation: int, serial: str) -> int | None:
    """Return which part of its issuer's list a certificate is to name; None for the whole.

    An edit of the number of parts counts once it was reviewed.
    """
    desired = session.world.desired.authorities.get(issuer)
    terms = settled_terms(session.journal.state, issuer, generation, desired)
    return shard_of(serial, terms.shards) if terms else None


def issuer_urls(
    publish: PublishSettings | None,
    issuer: str,
    generation: int,
    *,
    shard: int | None = None,
    ocsp: bool = False,
) -> Urls:
    """Return where a certificate says its issuer's CRL, certificate and perhaps OCSP responses are."""
    if publish is None:
        return Urls()
    base = publish.base_url.rstrip("/")
    return Urls(
        crl=f"{base}/{file_name(issuer, generation, 'crl', shard)}",
        issuer=f"{base}/{file_name(issuer, generation, 'crt')}",
        ocsp=f"{base}/{tree_name(issuer, generation)}" if ocsp else None,
    )
