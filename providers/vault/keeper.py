"""CA keys in a mount of the PKI engine: made there, certified by a CA of ours, used by Vault alone.

https://developer.hashicorp.com/vault/api-docs/secret/pki#generate-intermediate-csr and
https://openbao.org/api-docs/secret/pki/#generate-intermediate-csr.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from cryptography import x509 as pyca
from cryptography.hazmat.primitives.serialization import Encoding

from providers import x509
from providers.errors import Conflict, NotFound, Rejected
from providers.failpoints import reach
from providers.keeping import KeeperConfig
from providers.vault.mount import certificates
from providers.vault.session import VaultSession
from schemas.certificate import Algorithm
from schemas.request import KeyType

_TYPES = {Algorithm.ECDSA: "ec", Algorithm.RSA: "rsa"}


@dataclass(frozen=True, slots=True)
class VaultKeeper:
    """A mount that holds nothing but CAs of ours, or others beside them."""

    session: VaultSession
    path: str

    @classmethod
    def from_config(cls, config: KeeperConfig, /) -> Self:
        """Make the keeper; reads nothing and connects nowhere."""
        connection = config.custody.vault
        return cls(VaultSession.to(connection, config.secret, config.files), connection.path)

    def request(self, name: str, kind: KeyType, common_name: str, /) -> bytes:
        """Let Vault sign a request with the key of a name: what a lost answer was of is found by it."""
        asked: dict[str, object] = {"common_name": common_name, "format": "pem"}
        known = self._key(name)
        if known is not None:
            told = self._generate("existing", {**asked, "key_ref": known})
        else:
            size = {"key_type": _TYPES[kind.algorithm], "key_bits": kind.size}
            told = self._generate("internal", {**asked, **size, "key_name": name})
            reach("vault.made")
        try:
            csr = pyca.load_pem_x509_csr(str(told.get("csr")).encode())
        except ValueError:
            raise Rejected("Vault returned what cannot be read as a signing request") from None
        return csr.public_bytes(Encoding.DER)

    def install(self, certificate: bytes, above: Sequence[bytes], /) -> None:
        """Hand a certificate over with those above it, and make it what is signed under by default."""
        pems = b"".join(map(x509.pem, (certificate, *above))).decode()
        self.session.write(
            f"{self.path}/intermediate/set-signed", {"certificate": pems}, repeatable=True
        )
        reach("vault.handed")
        issuer = self._issuer(certificate)
        self.session.write(f"{self.path}/config/issuers", {"default": issuer}, repeatable=True)
        default = self.session.read(f"{self.path}/config/issuers").get("default")
        if default != issuer:
            raise Conflict(f"{self._where} signs by default under {default} and not under {issuer}")

    @property
    def _where(self) -> str:
        return f"{self.session.connection.server}/{self.path}"

    def _generate(self, how: str, asked: Mapping[str, object]) -> Mapping[str, object]:
        return self.session.write(f"{self.path}/intermediate/generate/{how}", asked)

    def _key(self, name: str) -> str | None:
        """Return what Vault calls the key of a name; None where there is none."""
        for id_ in self._names("keys"):
            if self.session.read(f"{self.path}/key/{id_}").get("key_name") == name:
                return id_
        return None

    def _issuer(self, certificate: bytes) -> str:
        """Return the issuer that has a certificate, and its key."""
        for id_ in self._names("issuers"):
            told = self.session.read(f"{self.path}/issuer/{id_}")
            if certificates(told.get("certificate"))[0] == certificate:
                if told.get("key_id"):
                    return id_
                raise NotFound(
                    f"{self._where} no longer has the key of the CA that was handed over"
                )
        raise Conflict(f"{self._where} was handed a CA, and does not have it")

    def _names(self, what: str) -> Iterator[str]:
        try:
            yield from self.session.names(f"{self.path}/{what}")
        except NotFound:  # as Vault says that there are none
            return
