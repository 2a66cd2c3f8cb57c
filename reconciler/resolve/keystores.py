"""Keystores for Java: where the password of each is, and what its ciphertext is known by.

A sops file keeps the ciphertext of what was not changed, so that one password can be changed in a file of
many. What nobody can open here is looked at no further than that it is there and encrypted.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.yaml import Step
from reconciler.resolve.drafts import Draft
from reconciler.state import DesiredKeystore
from schemas.certificate import JksSettings, Pkcs12Settings, TargetEntry
from schemas.secrets import SecretReference

_SEALED = re.compile(r"ENC\[[A-Za-z0-9_]+,data:[^\s\]]+\]")
_HINT = "`sops edit` writes such a file; a password is a text at its top level"
Settings = Pkcs12Settings | JksSettings


def wanted(entry: TargetEntry) -> tuple[tuple[str, Settings], ...]:
    """Return the forms of keystores that are to be written, with their settings."""
    if entry.keystores is None:
        return ()
    forms = (("pkcs12", entry.keystores.pkcs12), ("jks", entry.keystores.jks))
    return tuple((form, settings) for form, settings in forms if settings and settings.create)


def check_keystores(
    entry: TargetEntry, files: Mapping[str, bytes], draft: Draft, path: tuple[Step, ...]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with the passwords; a file that cannot be read was told already."""
    for form, settings in wanted(entry):
        reference = settings.password_secret_ref
        place = (*path, "keystores", form, "passwordSecretRef")
        if reference.name in files and _ciphertext(files[reference.name], reference) is None:
            summary = (
                f"{reference.name} holds no password under {reference.key} that sops encrypted"
            )
            yield error(summary, draft.at(*place, "key"), hint=_HINT)


def desired_keystores(
    entry: TargetEntry, files: Mapping[str, bytes]
) -> tuple[DesiredKeystore, ...]:
    """Return the keystores of an entry, each with the file that its password is in."""
    return tuple(_desired(form, settings, files) for form, settings in wanted(entry))


def _desired(form: str, settings: Settings, files: Mapping[str, bytes]) -> DesiredKeystore:
    reference = settings.password_secret_ref
    sealed = files.get(reference.name, b"")
    told = _ciphertext(sealed, reference) or ""
    return DesiredKeystore(
        form=form,
        alias=settings.alias if isinstance(settings, JksSettings) else "certificate",
        profile=settings.profile if isinstance(settings, Pkcs12Settings) else "",
        password=reference,
        told=hashlib.sha256(told.encode()).hexdigest(),
        sealed=sealed,
    )


def _ciphertext(content: bytes, reference: SecretReference) -> str | None:
    """Return what sops wrote for a key at the top level of a file; None where it is not there."""
    text = content.decode("utf-8", "replace")
    if reference.name.endswith(".json"):
        return _sealed(_member(text, reference.key))
    key = re.escape(reference.key)
    found = re.search(rf"""^(?:{key}|"{key}"|'{key}'):[ \t]+(\S+)[ \t\r]*$""", text, re.MULTILINE)
    return _sealed(found[1].strip("\"'")) if found else None


def _member(text: str, key: str) -> object:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return data.get(key) if isinstance(data, dict) else None


def _sealed(value: object) -> str | None:
    return value if isinstance(value, str) and _SEALED.fullmatch(value) else None
