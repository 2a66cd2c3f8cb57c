"""Certificate documents for what was found, ready for a pull request: each adopts what is there."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from pydantic import TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from reconciler.discovery import Find
from reconciler.load.edit import SCHEMA_LINE
from reconciler.render.escape import visible
from reconciler.resolve.keys import SIZES, holds
from reconciler.state import Desired
from schemas.capabilities import Capabilities
from schemas.certificate import Algorithm, ObjectId, Usage
from schemas.request import KeyType
from schemas.scalars import DnsName, EmailAddress, IpAddress, Name, Uri, format_duration

_LONGEST = 63
_COMMON_NAME = re.compile(r"(?:^|,)\s*CN=((?:[^,\\]|\\.)+)")


@dataclass(frozen=True, slots=True)
class Draft:
    """One document; `remarks` stand above its spec as comments."""

    name: str
    spec: Mapping[str, Any]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drafts:
    """The documents by the Target they belong to, and what there is none for, with the reason."""

    by_target: Mapping[str, tuple[Draft, ...]]
    left_out: tuple[tuple[Find, str], ...]


def draft(finds: Iterable[Find], desired: Desired, now: datetime) -> Drafts:
    """Return a document for everything that can be adopted; one for what is the same in several regions."""
    left_out: list[tuple[Find, str]] = []
    fit: dict[tuple[str, str], list[Find]] = {}
    for find in finds:
        if why := _unfit(find, desired, now):
            left_out.append((find, why))
        else:
            key = (_target(find), find.sha256 or find.serial or find.id)
            fit.setdefault(key, []).append(find)
    taken = set(desired.certificates)
    made: dict[str, list[Draft]] = {}
    for (target, _), same in sorted(fit.items(), key=lambda item: item[1][0].id):
        for group in _apart(same):
            made.setdefault(target, []).append(_draft(group, target, desired, taken))
    return Drafts({target: tuple(those) for target, those in made.items()}, tuple(left_out))


def _apart(same: Sequence[Find]) -> Iterator[tuple[Find, ...]]:
    """Yield copies of one certificate together, but for a second one in the same place."""
    ordered = sorted(same, key=lambda find: str(find.place))
    copies = [list(group) for _, group in groupby(ordered, key=lambda find: find.place)]
    for number in range(max(map(len, copies))):
        yield tuple(group[number] for group in copies if number < len(group))


def _target(find: Find) -> str:
    return str(find.place).partition("/")[0]


def _unfit(find: Find, desired: Desired, now: datetime) -> str:
    """Say why there is no document for a find; empty when there is one."""
    if find.place is None:
        return "it is in no target"
    capabilities = desired.targets[find.place].spec.capabilities
    if not capabilities.adopts:
        return f"targets of kind {desired.targets[find.place].spec.kind} take nothing over"
    if find.owner is not None:
        return f"it belongs to another certform, {find.owner}"
    if find.hosted:
        return "its place renews it by itself"
    if find.not_after is None or find.not_after <= now:
        return "it has expired" if find.not_after else "it cannot be read"
    if not _valid(find.id, ObjectId):
        return "its identity cannot be written"
    if not any(_names(find).values()):
        return "it has no name that can be asked for"
    if find.name != find.id and not _valid(find.name, Name):
        return f"an object cannot be called {find.name} in a document"
    return ""


def _draft(finds: Sequence[Find], target: str, desired: Desired, taken: set[str]) -> Draft:
    first = finds[0]
    names = _names(first)
    name = _free_name(next(value for values in names.values() for value in values), taken)
    issuer = _issuer(first, desired)
    capabilities = desired.targets[str(first.place)].spec.capabilities
    life, remarks = _life(first, issuer, desired)
    spec: dict[str, Any] = {"issuerRef": issuer} if issuer else {}
    if issuer is None:
        told = f": the present one is {first.content.issuer}" if first.content.issuer else ""
        remarks += (f"choose an issuer{told}",)
    spec |= {"duration": life} if life else {}
    spec |= {field: _quoted(values) for field, values in names.items() if values}
    if usages := [usage for usage in first.content.usages if usage in tuple(Usage)]:
        spec["usages"] = [str(usage) for usage in usages]
    key, remark = _key(first.content.key, capabilities)
    spec |= {"privateKey": key} if key else {}
    spec["targets"] = [_entry(finds, target, name)]
    return Draft(name, spec, (*remarks, *remark, *_elsewhere(finds, target, desired)))


def _entry(finds: Sequence[Find], target: str, name: str) -> dict[str, Any]:
    first = finds[0]
    ids = _quoted([find.id for find in finds])
    called = {"objectName": first.name} if first.name not in (first.id, name) else {}
    return {"targetRef": target, **called, "adopt": ids[0] if len(ids) == 1 else ids}


def _elsewhere(finds: Sequence[Find], target: str, desired: Desired) -> tuple[str, ...]:
    """Say where else the certificate would be installed, which means that it is issued at once."""
    held = {find.place for find in finds}
    others = [p for p in desired.targets if p.partition("/")[0] == target and p not in held]
    if not others:
        return ()
    return (f"it goes to {', '.join(others)} as well, so a new one is issued at once",)


def _names(find: Find) -> dict[str, list[str]]:
    """The names that may be asked for, by the field they go into; a common name where there is no other."""
    told = find.content
    asked = {
        "dnsNames": [n for n in told.dns_names if _valid(n, DnsName)],
        "ipAddresses": [n for n in told.ip_addresses if _valid(n, IpAddress)],
        "uris": [n for n in told.uris if _valid(n, Uri)],
        "emailAddresses": [n for n in told.email_addresses if _valid(n, EmailAddress)],
    }
    if not any(asked.values()) and told.common_name and _valid(told.common_name, DnsName):
        asked["dnsNames"] = [told.common_name]
    return asked


def _valid(text: str, kind: Any) -> bool:
    try:
        TypeAdapter(kind).validate_python(text)
    except ValidationError:
        return False
    return True


def _quoted(texts: Iterable[str]) -> list[str]:
    return [DoubleQuotedScalarString(text) for text in texts]


def _free_name(wish: str, taken: set[str]) -> str:
    """Return a document's name after a name of the certificate, a number added where it is taken."""
    plain = (
        re.sub(r"[^a-z0-9]+", "-", wish.lower().replace("*.", "wildcard-")).strip("-") or "found"
    )
    name, number = plain[:_LONGEST].rstrip("-"), 1
    while name in taken:
        number += 1
        end = f"-{number}"
        name = plain[: _LONGEST - len(end)].rstrip("-") + end
    taken.add(name)
    return name


def _issuer(find: Find, desired: Desired) -> str | None:
    """Return the CA that has the issuer's common name, or the only one there is for leaves."""
    live = {n: a for n, a in desired.authorities.items() if not a.retired}
    found = _COMMON_NAME.search(find.content.issuer or "")
    common = found[1] if found else find.content.issuer
    for name, authority in live.items():
        if authority.request.common_name == common:
            return name
    parents = {authority.request.issuer for authority in live.values()}
    candidates = [name for name in live if name not in parents] + list(desired.issuers)
    return candidates[0] if len(candidates) == 1 else None


def _life(find: Find, issuer: str | None, desired: Desired) -> tuple[str | None, tuple[str, ...]]:
    """Return how long it lived, in whole days where it is days; nothing where its CA lives no longer."""
    begun, ends = find.content.not_before, find.not_after
    if begun is None or ends is None or ends <= begun:
        return None, ()
    life = ends - begun + timedelta(seconds=1)
    if life > timedelta(days=2):
        life = timedelta(days=round(life / timedelta(days=1)))
    authority = desired.authorities.get(issuer or "")
    if authority is not None and life.total_seconds() > authority.request.duration:
        return None, (f"the present one lives {format_duration(life)}, longer than {issuer}",)
    return format_duration(life), ()


def _key(
    key: KeyType | None, capabilities: Capabilities
) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """Return the kind of key it has; none where that is not known, or nobody should ask for it."""
    if key is None:
        return None, ()
    if key.size not in SIZES[key.algorithm] or not holds(capabilities, key):
        return None, (f"the present key is {key}, which is not asked for any more",)
    size = {} if key.algorithm is Algorithm.ED25519 else {"size": key.size}
    return {"algorithm": str(key.algorithm), **size}, ()


def written(drafts: Sequence[Draft]) -> str:
    """Return documents as one YAML file."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    out = io.StringIO()
    out.write(f"{SCHEMA_LINE}\n")
    for number, each in enumerate(drafts):
        out.write("---\n" if number else "")
        spec = CommentedMap(each.spec)
        document = CommentedMap(
            {"kind": "Certificate", "metadata": {"name": each.name}, "spec": spec}
        )
        if each.remarks:
            told = "\n".join(visible(remark) for remark in each.remarks)
            document.yaml_set_comment_before_after_key("spec", before=told)
        yaml.dump(document, out)
    return out.getvalue()
