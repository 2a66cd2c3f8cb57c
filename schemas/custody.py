"""Where a CA key is that is not in the ledger: at a key service or in a token, in a sops file, or offline.

Every key is named with its version: an alias, or a key without one, may become another key under a
certificate that is already issued.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from schemas.base import Model, Word
from schemas.capabilities import ECDSA_SIZES, RSA_SIZES
from schemas.certificate import Algorithm
from schemas.clouds import Endpoint, RoleArn, Tenant
from schemas.connection import Connected
from schemas.pkcs11 import normalised
from schemas.scalars import Boolean, FilePath, Matching, Text
from schemas.secrets import SecretReference, references
from schemas.vault import VaultConnection

AwsKmsArn = Annotated[
    str,
    Matching(
        r"^arn:aws[a-z-]*:kms:[a-z]{2,4}(-[a-z]+)+-[0-9]:[0-9]{12}:key/[A-Za-z0-9-]{1,64}$",
        "must be the ARN of one key (arn:aws:kms:REGION:ACCOUNT:key/ID): an alias can be moved to"
        " another key, and what this CA signed would not hold any more",
    ),
]
AzureKeyId = Annotated[
    str,
    Matching(
        r"^https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/keys/[0-9a-zA-Z-]{1,127}/[0-9a-f]{32}$",
        "must be a key's identifier with its version (https://VAULT.vault.azure.net/keys/NAME/VERSION):"
        " without one it would become another key when the vault rotates it",
    ),
]
GcpKeyVersion = Annotated[
    str,
    Matching(
        r"^projects/[a-z0-9.:-]{4,64}/locations/[a-z0-9-]{1,63}/keyRings/[A-Za-z0-9_-]{1,63}"
        r"/cryptoKeys/[A-Za-z0-9_-]{1,63}/cryptoKeyVersions/[1-9][0-9]{0,8}$",
        "must be one version of a key (projects/P/locations/L/keyRings/R/cryptoKeys/K/"
        "cryptoKeyVersions/N): every version is another key",
    ),
]


class AwsKmsKey(Connected):
    """An asymmetric key of AWS KMS (`SIGN_VERIFY`); `role` is assumed to use it."""

    CONNECTION: ClassVar = ("key", "role", "external_id")

    key: AwsKmsArn
    role: RoleArn | None = None
    external_id: Text | None = None

    @property
    def region(self) -> str:
        """The region the key is in."""
        return self.key.split(":")[3]


class AzureKey(Connected):
    """A key of an Azure Key Vault or a managed HSM.

    `verifyChallengeResource: false` is for a vault that is reached by a name of your own.
    """

    CONNECTION: ClassVar = ("key", "tenant", "verify_challenge_resource")

    key: AzureKeyId
    tenant: Tenant | None = None
    verify_challenge_resource: Boolean = True

    @property
    def vault(self) -> str:
        """The address of the vault."""
        return self.key.partition("/keys/")[0]

    @property
    def name(self) -> str:
        """What the key is called there."""
        return self.key.split("/")[-2]

    @property
    def version(self) -> str:
        """Which key of that name it is."""
        return self.key.split("/")[-1]


class GcpKmsKey(Connected):
    """A key version of Google Cloud KMS whose purpose is `ASYMMETRIC_SIGN`."""

    CONNECTION: ClassVar = ("key", "endpoint")

    key: GcpKeyVersion
    endpoint: Endpoint | None = None


Pkcs11Uri = Annotated[
    str,
    Matching(
        r"^pkcs11:[^\x00-\x20]{1,1024}$",
        "must be a PKCS#11 URI (RFC 7512) such as pkcs11:token=ca;object=root",
    ),
    AfterValidator(normalised),
]
ModulePath = Annotated[
    str,
    Matching(
        r"^/[^\x00-\x1f]+$",
        "must be an absolute path, such as /usr/lib/softhsm/libsofthsm2.so: what is loaded is code of"
        " this host, never of the repository",
    ),
]


class Pkcs11Key(Connected):
    """A private key in a PKCS#11 token, which never leaves it; `module` is the vendor's library.

    `pinSecretRef` names the sops file, and the key in it, that holds the user PIN; without it the PIN is
    in the environment (`CERTFORM_PKCS11_PIN`) of whoever applies.
    """

    CONNECTION: ClassVar = ("key", "module", "pin_secret_ref")

    key: Pkcs11Uri
    module: ModulePath | None = None
    """Needed in a document; None for a key that no document speaks of any more."""
    pin_secret_ref: SecretReference | None = None


SOPS = "sops"
"""What stands for a CA key in a sops file of the repository where keys are named."""


class SopsKey(Model):
    """A CA key in a sops file of the repository: one that existed before certform did."""

    sops: FilePath

    @property
    def reference(self) -> str:
        """Where the key is, in one word; the file may be moved."""
        return SOPS


class Kept(Word):
    """A CA key that this repository never opens.

    `offline`: on a machine of its own, that `certform ceremony` carries requests to. `none`: nobody's of
    ours; the certificate is an anchor and signs nothing.
    """

    OFFLINE = "offline"
    NONE = "none"

    @property
    def reference(self) -> str:
        """Where the key is, in one word."""
        return str(self)


MOUNTED = "vault"
"""What stands for a CA key in a mount of Vault's where keys are named."""


class MountedKey(Model):
    """A CA key that Vault makes, keeps in a mount of its PKI engine, and signs with by itself.

    A CA of ours signs the certificate; whoever wants leaves of it names an Issuer of kind vault.
    """

    vault: VaultConnection

    @property
    def reference(self) -> str:
        """Where the key is, in one word; the server may get another address."""
        return MOUNTED

    @property
    def mount(self) -> str:
        """Which mount it is, in one word."""
        return self.vault.mount

    @property
    def secrets(self) -> tuple[SecretReference, ...]:
        """Where the secrets are that one logs in with."""
        return tuple(references(self.vault))

    @property
    def files(self) -> tuple[str, ...]:
        """The files of the repository that are needed to log in."""
        named = dict.fromkeys(reference.name for reference in self.secrets)
        return (*named, self.vault.ca_bundle) if self.vault.ca_bundle else tuple(named)

    def connection(self) -> Mapping[str, Any]:
        """Return which Vault is asked, and as whom."""
        return {"kind": MOUNTED, **self.vault.connection("vault.")}


def _short(value: Any) -> Any:
    return {"key": value} if isinstance(value, str) else value


class RemoteKey(Model):
    """A CA key at one key service or in a token; a plain key is short for `{key: ...}`."""

    aws_kms: Annotated[
        AwsKmsKey | None, BeforeValidator(_short, json_schema_input_type=AwsKmsArn | AwsKmsKey)
    ] = Field(default=None, alias="aws-kms")
    azure_key_vault: Annotated[
        AzureKey | None, BeforeValidator(_short, json_schema_input_type=AzureKeyId | AzureKey)
    ] = Field(default=None, alias="azure-key-vault")
    gcp_kms: Annotated[
        GcpKmsKey | None, BeforeValidator(_short, json_schema_input_type=GcpKeyVersion | GcpKmsKey)
    ] = Field(default=None, alias="gcp-kms")
    pkcs11: Pkcs11Key | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self._settings()) != 1:
            raise ValueError(f"must be `ledger`, or name exactly one key: {_EXAMPLES}")
        return self

    def _settings(self) -> Mapping[str, AwsKmsKey | AzureKey | GcpKmsKey | Pkcs11Key]:
        fields = {kind: getattr(self, kind.replace("-", "_")) for kind in SIGNS}
        return {kind: settings for kind, settings in fields.items() if settings is not None}

    @property
    def kind(self) -> str:
        """The key service, as the registry of signers names it."""
        return next(iter(self._settings()))

    @property
    def settings(self) -> AwsKmsKey | AzureKey | GcpKmsKey | Pkcs11Key:
        """Which key it is, and how it is reached."""
        return next(iter(self._settings().values()))

    @property
    def secret(self) -> SecretReference | None:
        """Where the secret is that the key is used with, if a sops file of the repository holds it."""
        return self.pkcs11.pin_secret_ref if self.pkcs11 else None

    def connection(self) -> Mapping[str, Any]:
        """Return which key signs, and how it is reached."""
        return {"kind": self.kind, **self.settings.connection(f"{self.kind}.")}

    @property
    def reference(self) -> str:
        """Which key it is, in one word: `aws-kms:arn:...`. How it is reached is no part of it."""
        return f"{self.kind}:{self.settings.key}"

    @classmethod
    def named(cls, reference: str, like: "RemoteKey | None" = None) -> Self:
        """Return the key of a reference, reached as another one of its kind is, if that is given."""
        kind, _, key = reference.partition(":")
        known = like.settings.to_json() if like is not None and like.kind == kind else {}
        return cls.model_validate({kind: {**known, "key": key}})


CaCustody = RemoteKey | SopsKey | MountedKey | Kept
"""Where a CA key is that is not in the ledger."""

_EXAMPLES = (
    "`{aws-kms: arn:...}`, `{azure-key-vault: https://...}`, `{gcp-kms: projects/...}` or"
    " `{pkcs11: {key: pkcs11:..., module: /...}}`"
)
SIGNS: Mapping[str, Mapping[Algorithm, tuple[int, ...]]] = {
    "aws-kms": {Algorithm.ECDSA: ECDSA_SIZES, Algorithm.RSA: RSA_SIZES},
    "azure-key-vault": {Algorithm.ECDSA: ECDSA_SIZES, Algorithm.RSA: RSA_SIZES},
    "gcp-kms": {Algorithm.ECDSA: (256, 384), Algorithm.RSA: (2048, 4096)},
    "pkcs11": {Algorithm.ECDSA: ECDSA_SIZES, Algorithm.RSA: RSA_SIZES},
}
"""The keys each service signs a digest with by our schemes; Google has no hash but SHA-256 for RSA 3072."""


def parse_custody(value: Any) -> Any:
    """Read what is written for a CA key's custody: None for one in the ledger.

    What is written decides which form is meant, so that one mistake is told once.
    """
    if value == "ledger" or isinstance(value, CaCustody):
        return None if value == "ledger" else value
    if isinstance(value, str):
        if value in tuple(Kept):
            return Kept(value)
        raise ValueError(f"must be `ledger`, `offline`, `none`, or name a key: {_EXAMPLES}")
    if value is None:
        return None
    return _form(value if isinstance(value, dict) else {}).model_validate(value)


def _form(value: Mapping[str, Any]) -> type[RemoteKey | SopsKey | MountedKey]:
    if "sops" in value:
        return SopsKey
    return MountedKey if MOUNTED in value else RemoteKey


def parse_place_of_key(value: Any) -> Any:
    """Read where the key of a CA that existed before is: it is not moved into the ledger."""
    if value == "ledger":
        raise ValueError(
            "must say where the key is: certform moves none into the ledger, where every runner could"
            " have had it; raise `generation` for a new key there"
        )
    if isinstance(value, dict) and MOUNTED in value:
        raise ValueError(
            "must say where the key is: Vault makes the keys of a mount by itself; raise `generation`"
            " for a new key there"
        )
    return parse_custody(value)
