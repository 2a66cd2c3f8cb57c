"""Certificates and Targets of what a client keeps on this host: names and key as the certificate has them."""

import ipaddress
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from providers import x509
from providers.x509.content import content
from reconciler.diagnostics import error
from reconciler.importing.naming import Names
from reconciler.importing.outcome import Draft
from reconciler.importing.sources import Unread, read_bytes
from reconciler.importing.survey import Words
from reconciler.resolve.keys import SIZES
from schemas.certificate import Algorithm
from schemas.issuer import ACME
from schemas.plan import Source
from schemas.request import KeyType
from schemas.scalars import format_duration

STANDARD_LIFE = timedelta(days=90)
RELOADS = {
    "nginx": {"check": ("nginx", "-t"), "reload": ("systemctl", "reload", "nginx")},
    "apache": {
        "check": ("apachectl", "configtest"),
        "reload": ("systemctl", "reload", "apache2"),
    },
}
"""What has a web server read its certificates again."""
_SHELL = frozenset("|&;<>()$`*?!~#\n")
_TELLING = re.compile(r"(?i)pass|pwd|secret|token|key|auth|cred|bearer|[=:@%?\\]|\S{41}")
"""What a command has in it that may hold a secret."""


@dataclass(frozen=True, slots=True)
class Present:
    """The certificate that is there: its names, its key and how long it lives."""

    names: tuple[str, ...]
    key: KeyType | None = None
    life: timedelta | None = None


def present(path: Path) -> Present:
    """Return what the first certificate of a file says; raises `Unread`."""
    data = read_bytes(path)
    try:
        ders = x509.split_pem(data)
        told, facts = content(ders[0]), x509.facts(ders[0])
    except (ValueError, IndexError):
        raise Unread(error("there is no certificate in it", Source(file=str(path)))) from None
    names = told.dns_names + told.ip_addresses
    common = (told.common_name,) if told.common_name and not names else ()
    return Present(names + common, told.key, facts.not_after - facts.not_before)


def named(names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return names by the field each belongs to."""
    fields: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        fields.setdefault("ipAddresses" if _is_address(name) else "dnsNames", []).append(name)
    return {field: tuple(those) for field, those in fields.items()}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def key_spec(key: KeyType | None, *, reused: bool) -> dict[str, Any]:
    """Return what is written of a key; a size that is not issued any more is left out."""
    spec: dict[str, Any] = {}
    if key is not None and key.size in SIZES[key.algorithm] and key in (ACME.keys or ()):
        spec = {"algorithm": str(key.algorithm), "size": key.size}
    if reused:
        spec |= {"rotationPolicy": "Never", "custody": "ledger"}
    return spec


def key_of(words: str) -> KeyType | None:
    """Return a kind of key by what lego calls it, such as `EC256`, `rsa4096` or `P256`."""
    text = words.upper()
    algorithm = Algorithm.RSA if text.startswith("RSA") else Algorithm.ECDSA
    digits = "".join(filter(str.isdigit, text))[:5]
    known = text.startswith(("RSA", "EC", "P")) or text.isdigit()
    algorithm = Algorithm.RSA if text.isdigit() else algorithm
    return KeyType(algorithm=algorithm, size=int(digits)) if known and digits else None


def renewal(before: timedelta, life: timedelta | None) -> str | None:
    """Return `renewBefore`; None where the certificate would be renewed all the time."""
    return format_duration(before) if before < min(life or STANDARD_LIFE, STANDARD_LIFE) else None


def as_reload(command: str) -> str:
    """Return what to write in a Target in the place of a hook, where that is one program.

    Its arguments are repeated only where none of them looks like a secret: a report is shown to others.
    """
    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words or _SHELL & set(command) or ("/" in words[0] and not words[0].startswith("/")):
        return "a shell is not run: put it into a script, and its path into the Target's `reload`"
    shown = words if not _TELLING.search(command) else [words[0], "..."]
    return f"to run it after installs, write `reload: [{', '.join(shown)}]` in the Target"


class Targets:
    """The places that certificates of this host are to go to: one a web server, one for all others."""

    def __init__(self, client: str, names: Names) -> None:
        self._client = client
        self._names = names
        self._made: dict[str, Draft] = {}

    def called(self, server: str | None, words: Words) -> str:
        """Return the name of the Target for what a web server reads; without one, of the client's."""
        wish = server if server in RELOADS else self._client
        if wish not in self._made:
            name = self._names.free("Target", wish)
            spec = {"local-directory": {"path": f"/etc/certform/{name}"}, **RELOADS.get(wish, {})}
            self._made[wish] = Draft("Target", name, spec, words, _remarks(wish, name))
        return self._made[wish].name

    def folder(self, server: str | None, words: Words) -> str:
        """Return the directory of that Target."""
        return f"/etc/certform/{self.called(server, words)}"

    def drafts(self) -> tuple[Draft, ...]:
        """Return the Targets."""
        return tuple(self._made.values())


def _remarks(wish: str, name: str) -> tuple[str, ...]:
    where = f"/etc/certform/{name}/NAME/current/{{privkey,cert,chain,fullchain}}.pem"
    reader = wish if wish in RELOADS else "what reads them"
    reload = (
        () if wish in RELOADS else ("reload: [systemctl, reload, SERVICE] where a service does",)
    )
    return (f"a proposal: have {reader} read {where}", *reload)
