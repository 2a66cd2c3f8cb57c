"""Authority: a CA of ours, a root or an intermediate below another Authority."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from schemas.base import Model, Word
from schemas.certificate import Algorithm, Subject
from schemas.custody import RemoteKey, parse_custody
from schemas.project import Recipient
from schemas.scalars import (
    Boolean,
    CommonName,
    DnsDomain,
    Duration,
    Integer,
    IpRange,
    Reference,
)


class AuthorityCustody(Word):
    """Where a CA key lives. `ledger`: as sops ciphertext on the ledger branch."""

    LEDGER = "ledger"


class AuthorityKey(Model):
    """A CA's private key, and who can open it (the project's keyring when nobody is named).

    `custody` is None for a key in the ledger; one at a key service never leaves it.
    """

    algorithm: Algorithm = Algorithm.ECDSA
    size: Integer | None = None
    custody: Annotated[
        RemoteKey | None,
        BeforeValidator(parse_custody, json_schema_input_type=AuthorityCustody | RemoteKey),
    ] = None
    recipients: tuple[Recipient, ...] = ()


class NameForms(Model):
    """Name subtrees by kind: each domain stands for itself and everything below it."""

    dns_domains: tuple[DnsDomain, ...] = ()
    ip_ranges: tuple[IpRange, ...] = ()
    uri_domains: tuple[DnsDomain, ...] = ()
    email_domains: tuple[DnsDomain, ...] = ()


class NameConstraints(Model):
    """What a CA may name (RFC 5280 section 4.2.1.10); a kind that is not permitted is refused."""

    permitted: NameForms = NameForms()
    excluded: NameForms = NameForms()


class AuthoritySpec(Model):
    """A CA as it is wanted: root without `parentRef`, intermediate with it."""

    parent_ref: Reference | None = None
    common_name: CommonName
    subject: Subject = Subject()
    duration: Duration | None = None
    generation: Annotated[Integer, Field(ge=1)] = 1
    path_length: Integer | None = None
    private_key: AuthorityKey = AuthorityKey()
    name_constraints: NameConstraints | None = None
    crl_duration: Duration | None = None
    retired: Boolean = False
