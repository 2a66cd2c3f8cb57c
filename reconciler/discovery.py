"""What nobody manages: foreign objects in targets, certificates in plain directories and on TLS endpoints."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from providers import x509
from providers.abilities import Inspector
from providers.base import OWNER, Content, Installed, Target
from providers.endpoints import chain_served
from providers.errors import ProviderError, Unreachable
from providers.x509.content import content
from reconciler.certificate_files import certificate_files
from reconciler.ledger.records import LedgerState
from reconciler.state import Observed

INSPECTED = 500
"""How many objects of one target are looked at one by one, where a listing tells too little."""


@dataclass(frozen=True, slots=True)
class Find:
    """One certificate that is not ours. `where` is a target's place, a directory or an endpoint.

    `id` is what it is called there, `owner` another certform's label, `hosted` whether its place
    renews it by itself. `place` is the target it could be adopted in, None outside of targets.
    """

    where: str
    id: str
    name: str
    serial: str | None
    sha256: str | None
    not_after: datetime | None
    content: Content
    place: str | None = None
    owner: str | None = None
    hosted: bool = False
    used_by: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Whom it speaks for; its common name where it has no other."""
        told = self.content
        names = (*told.dns_names, *told.ip_addresses, *told.uris, *told.email_addresses)
        return names or tuple(filter(None, (told.common_name,)))


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, and by place what could not be read: there may be more."""

    finds: tuple[Find, ...]
    unknown: Mapping[str, str]
    elsewhere: Mapping[str, str]
    """The targets that are on another host, and where."""


def discover(
    observed: Observed,
    targets: Mapping[str, Target],
    ledger: LedgerState,
    directories: Iterable[Path],
    endpoints: Iterable[str],
    *,
    closely: bool = False,
) -> Discovery:
    """Return everything that is not ours; `closely` looks at each object in a target by itself."""
    finds: list[Find] = []
    unknown: dict[str, str] = {}
    ours = ledger.lineage.owner
    for name, observation in observed.targets.items():
        if observation.status == "unknown":
            unknown[name] = observation.detail
        foreign = [o for o in observation.installed.values() if not o.owned_by(ours)]
        finds += in_target(name, _looked_at(targets.get(name), foreign, closely=closely))
    issued = {i.sha256 for r in ledger.certificates.values() for i in r.issuances}
    outside: list[tuple[str, Callable[[], Iterable[Find]]]] = [
        *((str(path), lambda path=path: in_directory(path)) for path in directories),
        *((connect, lambda connect=connect: at_endpoint(connect)) for connect in endpoints),
    ]
    for where, look in outside:
        try:
            finds += (find for find in look() if find.sha256 not in issued)
        except ProviderError as why:
            unknown[where] = str(why)
    elsewhere = {n: o.detail for n, o in observed.targets.items() if o.status == "not-here"}
    return Discovery(tuple(sorted(finds, key=_order)), unknown, elsewhere)


def _order(find: Find) -> tuple[str, str]:
    return find.where, find.id


def _looked_at(
    target: Target | None, foreign: Iterable[Installed], *, closely: bool
) -> Iterator[Installed]:
    """Yield each object with all its place tells of it; what cannot be told is left as it was listed."""
    left = INSPECTED if isinstance(target, Inspector) else 0
    for each in foreign:
        if left and isinstance(target, Inspector) and (closely or each.content is None):
            left -= 1
            try:
                yield target.inspect(each)
                continue
            except ProviderError:
                pass
        yield each


def in_target(place: str, foreign: Iterable[Installed]) -> Iterator[Find]:
    """Yield the objects of others in one place."""
    for each in foreign:
        named = Content(dns_names=(each.dns_name,) if each.dns_name else ())
        yield Find(
            place,
            each.id,
            each.name,
            each.serial,
            each.sha256,
            each.not_after,
            each.content or named,
            place=place,
            owner=each.labels.get(OWNER),
            hosted=each.hosting is not None,
            used_by=each.used_by,
        )


def in_directory(path: Path) -> Iterator[Find]:
    """Yield the certificates in the files below a directory, CA certificates left out, each once.

    Raises `Unreachable` where something there cannot be read.
    """
    seen: dict[str, Find] = {}
    copies: dict[str, int] = {}
    for file, data in certificate_files(path):
        for found in filter(None, map(_leaf, _certificates(data))):
            sha256 = str(found.sha256)
            if sha256 not in seen:
                seen[sha256] = replace(found, where=str(path), id=file, name=file)
            copies[sha256] = copies.get(sha256, 0) + 1
    for sha256, find in seen.items():
        more = copies[sha256] - 1
        yield replace(find, id=f"{find.id} and {more} more") if more else find


def _certificates(data: bytes) -> tuple[bytes, ...]:
    """The certificates of a file in PEM or DER; keys and whatever else there is are not looked at."""
    try:
        return (data,) if data[:1] == b"\x30" else x509.split_pem(data)
    except ValueError:
        return ()


def _leaf(der: bytes) -> Find | None:
    """Return what a certificate says; None for that of a CA, and for what is no certificate."""
    try:
        facts = x509.facts(der)
        if facts.is_ca:
            return None
        told = content(der)
    except ValueError:
        return None
    return Find("", "", "", facts.serial, facts.sha256, facts.not_after, told)


def at_endpoint(connect: str) -> Iterator[Find]:
    """Yield the certificate that a server shows first; raises `Unreachable` where there is none to read."""
    leaf, *above = chain_served(connect)
    try:
        facts, told = x509.facts(leaf), content(leaf)
    except ValueError:
        raise Unreachable(f"{connect} shows a certificate that cannot be read") from None
    shown = f"served with {len(above)} more" if above else "served"
    yield Find(connect, shown, connect, facts.serial, facts.sha256, facts.not_after, told)
