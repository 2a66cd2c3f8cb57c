"""What is asked of an issuer, resolved: the form in which desired, ledger and plan are compared."""

from typing import Literal

from schemas.authority import NameConstraints
from schemas.base import Model
from schemas.certificate import Algorithm, Subject, Usage


class KeyType(Model):
    """A key's algorithm and size; Ed25519 has one size, 256 bits, ML-DSA a parameter set for it."""

    algorithm: Algorithm
    size: int

    def __str__(self) -> str:
        match self.algorithm:
            case Algorithm.ED25519:
                return "Ed25519"
            case Algorithm.ML_DSA:
                return f"ML-DSA-{self.size}"
            case _:
                return f"{self.algorithm} {self.size}"


class LeafRequest(Model):
    """A leaf certificate's content. Name lists are sorted, without repeats; duration in seconds.

    `issuer_id` tells which CA of others is meant (`IssuerSpec.identity`), generation 0 of its name; it
    is None for a CA of ours.
    """

    kind: Literal["leaf"] = "leaf"
    issuer: str
    issuer_generation: int
    common_name: str | None = None
    subject: Subject = Subject()
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()
    usages: tuple[Usage, ...]
    key: KeyType
    duration: int
    issuer_id: str | None = None


class Inherited(Model):
    """What a CA that existed before has in bytes of its own, and every certificate of it has to repeat.

    `name` is its name (base64 of the DER) where our words would give other bytes, `key_id` the subject
    key identifier in hex where it is not the SHA-1 of the key (RFC 5280 section 4.2.1.2).
    """

    name: str | None = None
    key_id: str | None = None


class AuthorityRequest(Model):
    """A CA certificate's content; the common name carries the generation. Duration in seconds.

    `key_ref` names the key where it is at a key service (`RemoteKey.reference`), None for one in the ledger.
    `issuer_id` tells which CA of others signs it (`IssuerSpec.authority_identity`), generation 0 of its
    name; it is None for a root, and below a CA of ours.
    """

    kind: Literal["authority"] = "authority"
    issuer: str | None = None
    issuer_generation: int | None = None
    generation: int
    common_name: str
    subject: Subject = Subject()
    key: KeyType
    duration: int
    path_length: int | None = None
    name_constraints: NameConstraints | None = None
    key_ref: str | None = None
    inherited: Inherited | None = None
    issuer_id: str | None = None
