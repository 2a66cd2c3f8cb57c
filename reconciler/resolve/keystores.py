"""Keystores for Java: where the password of each is, and what its ciphertext is known by.

A sops file keeps the ciphertext of what was not changed, so that one password can be changed in a file of
many. What nobody can open here is looked at no further than that it is there and encrypted.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from reconciler.diagnostics import Diagnostic, error
from reconciler.keystores import DesiredKeystore
from reconciler.load.yaml import Step
from reconciler.resolve.drafts import Draft
from schemas.certificate import JksSettings, Pkcs12Settings, TargetEntry
from schemas.secrets import SecretReference

_SEALED = re.compile(r"ENC\[[A-Za-z0-9_]+,data:[^\s\]]+,type:str\]")
_LINE = re.compile(
    r"""^(?:"([^"\\\n]+)"|'([^'\n]+)'|([^\s#"'][^:\n]*)):[ \t]+["']?(ENC\[\S+\])["']?[ \t\r]*$""",
    re.MULTILINE,
)
"""A value at the top level of YAML, as sops writes it: on one line."""
_LARGEST = 1 << 20
HINT = (
    "`sops edit` writes such a file; a secret is a text at its top level, in quotes where it looks"
    " like a number"
)
Settings = Pkcs12Settings | JksSettings


def wanted(entry: TargetEntry) -> tuple[tuple[str, Settings], ...]:
    """Return the forms of keystores that are to be written, with their settings."""
    if entry.keystores is None:
        return ()
    forms = (("pkcs12", entry.keystores.pkcs12), ("jks", entry.keystores.jks))
    return tuple((form, settings) for form, settings in forms if settings and settings.create)


@dataclass
class SealedFiles:
    """The files that certificates name, by path; each is read once, however many name it."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    _read: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def ciphertext(self, reference: SecretReference) -> str | None:
        """Return what sops wrote for a key at the top level of a file; None where it is not there."""
        if reference.name not in self._read:
            content = self.files.get(reference.name, b"")
            self._read[reference.name] = dict(_values(reference.name, content))
        return self._read[reference.name].get(reference.key)


def check_keystores(
    entry: TargetEntry, sealed: SealedFiles, draft: Draft, path: tuple[Step, ...]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the passwords; a file that cannot be read was told already."""
    for form, settings in wanted(entry):
        reference = settings.password_secret_ref
        place = (*path, "keystores", form, "passwordSecretRef")
        if reference.name in sealed.files and sealed.ciphertext(reference) is None:
            summary = (
                f"{reference.name} holds no password under {reference.key} that sops encrypted"
            )
            yield error(summary, draft.at(*place, "key"), hint=HINT)


def desired_keystores(entry: TargetEntry, sealed: SealedFiles) -> tuple[DesiredKeystore, ...]:
    """Return the keystores of an entry, each with the file that its password is in."""
    return tuple(_desired(form, settings, sealed) for form, settings in wanted(entry))


def _desired(form: str, settings: Settings, sealed: SealedFiles) -> DesiredKeystore:
    reference = settings.password_secret_ref
    told = sealed.ciphertext(reference) or ""
    return DesiredKeystore(
        form=form,
        alias=settings.alias if isinstance(settings, JksSettings) else "certificate",
        profile=settings.profile if isinstance(settings, Pkcs12Settings) else "",
        password=reference,
        told=hashlib.sha256(told.encode()).hexdigest(),
        sealed=sealed.files.get(reference.name, b""),
    )


def _values(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    """Yield the encrypted texts at the top level of a file by key; none of one that is too large."""
    text = content.decode("utf-8", "replace") if len(content) <= _LARGEST else ""
    if name.endswith(".json"):
        found = _members(text)
    else:
        found = ((a or b or c.rstrip(), value) for a, b, c, value in _LINE.findall(text))
    for key, value in found:
        if isinstance(value, str) and _SEALED.fullmatch(value):
            yield key, value


def _members(text: str) -> Iterable[tuple[str, object]]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return data.items() if isinstance(data, dict) else ()
