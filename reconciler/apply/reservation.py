"""Reservations: the keys, dates and URLs of what is about to be signed."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from providers import x509
from providers.remote import prove
from providers.secret import Secret
from providers.x509.signing_request import requested_key
from reconciler.apply.session import Impossible, Session
from reconciler.crl_terms import settled_terms
from reconciler.custody import key_holder
from reconciler.ledger.records import AuthorityRecord, Urls
from reconciler.published_names import file_name, shard_of
from reconciler.response_terms import tree_name, wanted_terms
from reconciler.state import DesiredAuthority
from schemas.project import PublishSettings
from schemas.request import AuthorityRequest, KeyType


class Span(Protocol):
    """What signs: nothing below it begins earlier or ends later."""

    @property
    def not_before(self) -> datetime:
        """When it begins."""
        ...

    @property
    def not_after(self) -> datetime:
        """When it ends."""
        ...


def validity(now: datetime, duration: int, authority: Span | None) -> tuple[datetime, datetime]:
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


def remote_half(
    session: Session,
    desired: DesiredAuthority,
    request: AuthorityRequest,
    known: Mapping[str, AuthorityRecord],
) -> str:
    """Return the public half of a key at a key service, one that can sign, of the kind asked for, and new.

    Raises `Impossible` for another one.
    """
    signer = session.signer(desired.name, request.generation)
    public = signer.public_key()
    algorithm, size = x509.key_type(public)
    kind = KeyType(algorithm=algorithm, size=size)
    if kind != request.key:
        raise Impossible(f"{request.key_ref} is of kind {kind}, and {request.key} is asked for")
    spki = b64encode(x509.spki(public)).decode()
    if other := key_holder(known, desired, spki):
        raise Impossible(f"{request.key_ref} is the key of {other}: make a new one, and name it")
    prove(signer)
    return spki


def mounted_half(
    session: Session,
    desired: DesiredAuthority,
    request: AuthorityRequest,
    known: Mapping[str, AuthorityRecord],
) -> str:
    """Return the public half of a key that Vault makes and keeps, new and of the kind asked for.

    The key goes by a name that no other ledger, CA or generation has: a run that died after it was made
    finds it again. Raises `Impossible`.
    """
    keeper, owner = session.keeper(desired.name), session.world.ledger.lineage.id
    kind = f"{request.key.algorithm}-{request.key.size}".lower()
    name = f"certform-{owner}-{desired.name}-g{request.generation}-{kind}"
    try:
        made, public = requested_key(keeper.request(name, request.key, request.common_name))
    except ValueError as why:
        raise Impossible(f"the request for the key {name} is of no use: {why}") from None
    spki = b64encode(public).decode()
    if made != request.key:
        raise Impossible(f"{name} is of kind {made}, and {request.key} is asked for")
    if other := key_holder(known, desired, spki):
        raise Impossible(f"{name} is the key of {other}")
    return spki


def public_half(key: Secret) -> str:
    """Return the public half of a key as a record holds it."""
    return b64encode(x509.spki(x509.decode_key(key).public_key())).decode()


def answers(session: Session, issuer: str | None) -> bool:
    """Whether what a CA issues from now on says where its OCSP response is: once that was reviewed.

    So it was where the base asks for it, or the ledger knows of responses, or this run is to make some.
    """
    name, world = issuer or "", session.world
    if wanted_terms(world.desired.authorities.get(name)) is None:
        return False
    before = wanted_terms(world.base.authorities.get(name)) if world.base else True
    known = (*session.journal.state.ocsp, *session.answering)
    return bool(before) or any(ca == name for ca, _ in known)


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
