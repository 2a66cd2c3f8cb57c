"""Authority: a CA of ours, a root or an intermediate below another Authority."""

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from schemas.base import Model, Word
from schemas.certificate import Algorithm, Subject
from schemas.custody import (
    Kept,
    MountedKey,
    RemoteKey,
    SopsKey,
    parse_custody,
    parse_place_of_key,
)
from schemas.project import Recipient
from schemas.scalars import (
    Boolean,
    CommonName,
    DnsDomain,
    Duration,
    FilePath,
    Integer,
    IpRange,
    Reference,
)


class AuthorityCustody(Word):
    """Where a CA key lives. `ledger`: as sops ciphertext on the ledger branch."""

    LEDGER = "ledger"


class AuthorityKey(Model):
    """A CA's private key, and who can open it (the project's keyring when nobody is named).

    `custody` is None for a key in the ledger; one at a key service, in a token or in Vault never leaves it.
    """

    algorithm: Algorithm = Algorithm.ECDSA
    size: Integer | None = None
    custody: Annotated[
        RemoteKey | SopsKey | MountedKey | Kept | None,
        BeforeValidator(
            parse_custody,
            json_schema_input_type=AuthorityCustody | Kept | SopsKey | MountedKey | RemoteKey,
        ),
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


class CrlSettings(Model):
    """How a CA tells of what it revoked (RFC 5280 section 5).

    `duration` is from thisUpdate to nextUpdate; `refreshBefore` is how long before its nextUpdate a CRL
    is signed anew, half of `duration` when it is not given. With more than one of `shards` a certificate
    names the one part of the list that it may be in.
    """

    duration: Duration | None = None
    refresh_before: Duration | None = None
    shards: Annotated[Integer, Field(ge=1, le=256)] = 1


class OcspSettings(Model):
    """Responses signed ahead by a delegated responder (RFC 6960 section 4.2.2.2, RFC 5019).

    `duration` is from thisUpdate to nextUpdate; they are signed anew `refreshBefore` that ends, half of
    `duration` when it is not given.
    """

    duration: Duration = timedelta(days=4)
    refresh_before: Duration | None = None


class Existing(Model):
    """A CA that existed before: its certificate, and what it issued and revoked, as files of the repository.

    `certificate` is PEM, `generation` the one that it stands for here; `crl` is its last CRL (PEM or DER),
    `index` the index.txt of OpenSSL's `ca`, `issued` PEM files of what it issued. `custody` is where its
    key is, once `privateKey` speaks of a later generation.
    """

    certificate: FilePath
    generation: Annotated[Integer, Field(ge=1)] = 1
    custody: Annotated[
        RemoteKey | SopsKey | Kept | None,
        BeforeValidator(parse_place_of_key, json_schema_input_type=Kept | SopsKey | RemoteKey),
    ] = None
    crl: FilePath | None = None
    index: FilePath | None = None
    issued: tuple[FilePath, ...] = ()


class AuthoritySpec(Model):
    """A CA as it is wanted: root without `parentRef`, intermediate with it.

    `standby` has the generation after this one signed ahead and kept ready; `crossSign` has the
    generation before this one sign this root, too, for whoever does not know it yet.
    """

    parent_ref: Reference | None = None
    common_name: CommonName
    subject: Subject = Subject()
    duration: Duration | None = None
    renew_before: Duration | None = None
    generation: Annotated[Integer, Field(ge=1)] = 1
    standby: Boolean = False
    cross_sign: Boolean = False
    path_length: Integer | None = None
    private_key: AuthorityKey = AuthorityKey()
    name_constraints: NameConstraints | None = None
    crl: CrlSettings = CrlSettings()
    ocsp: OcspSettings | None = None
    existing: Existing | None = None
    retired: Boolean = False
