"""The operations of the certificates data plane, each a function of the store and a request.

https://learn.microsoft.com/rest/api/keyvault/certificates/operation-groups
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from keyvault_content import (
    arranged,
    check_kind,
    issue,
    make_key,
    read_import,
    read_merged,
    signing_request,
    spki,
)
from keyvault_errors import Refusal, answer, bad, no_pending, not_found
from keyvault_state import Deleted, Entry, Json, Pending, Version
from keyvault_store import (
    PAGE,
    Store,
    bundle,
    checked_tags,
    completed_policy,
    deletion,
    item,
    operation,
    touch,
)
from wire import Request, Response


@dataclass(frozen=True, slots=True)
class Ask:
    """A request that is allowed: `name` and `version` are those in its path, `base` the vault's address."""

    base: str
    request: Request
    name: str = ""
    version: str = ""

    @property
    def body(self) -> Json:
        parsed: Any = json.loads(self.request.body)
        if not isinstance(parsed, dict):
            raise bad("The request body is invalid JSON")
        return parsed


def list_certificates(store: Store, ask: Ask) -> Response:
    pending = ask.request.query.get("includePending") == "true"
    shown = [each for each in store.entries.values() if each.current or (pending and each.busy)]
    items = [item(ask.base, each, store.shown(each)) for each in shown if each.polls <= 0]
    return _page(store, ask, "certificates", items)


def list_versions(store: Store, ask: Ask) -> Response:
    entry = store.entries.get(ask.name.lower())
    items = []
    for version in entry.versions if entry else ():
        shown = bundle(ask.base, store, Entry(ask.name, {}), version)
        items.append({key: shown[key] for key in ("id", "x5t", "attributes", "tags")})
    return _page(store, ask, f"certificates/{ask.name}/versions", items)


def list_deleted(store: Store, ask: Ask) -> Response:
    done = [gone for gone in store.deleted.values() if gone.polls <= 0 and gone.entry.current]
    items = [
        {**item(ask.base, gone.entry, gone.entry.current), **deletion(ask.base, store, gone)}
        for gone in done
    ]
    return _page(store, ask, "deletedcertificates", items)


def get(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    if not ask.version:
        return answer(bundle(ask.base, store, entry, store.shown(entry)))
    shown = bundle(ask.base, store, entry, _version(entry, ask.version))
    del shown["policy"]
    return answer(shown)


def update(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    version = _version(entry, ask.version) if ask.version else entry.current
    tags = ask.body.get("tags")
    if version is None:
        entry.shell_tags = checked_tags(tags) if tags is not None else entry.shell_tags
        return answer(bundle(ask.base, store, entry, None))
    if tags is not None:
        version.tags = checked_tags(tags)
    version.enabled = (ask.body.get("attributes") or {}).get("enabled", version.enabled)
    touch(version)
    return answer(bundle(ask.base, store, entry, version))


def get_policy(store: Store, ask: Ask) -> Response:
    return answer(store.entry(ask.name).policy)


def update_policy(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    said = {key: value for key, value in ask.body.items() if value is not None}
    entry.policy = {**entry.policy, **said}
    return answer(entry.policy)


def import_(store: Store, ask: Ask) -> Response:
    body = ask.body
    store.writable(ask.name)
    tags = checked_tags(body.get("tags"))
    policy = completed_policy(body.get("policy"), "Self" if body.get("policy") else "Unknown")
    kind = (policy.get("secret_props") or {}).get("contentType", "application/x-pkcs12")
    key, found = read_import(body["value"], body.get("pwd"), kind)
    check_kind(key, policy.get("key_props") or {})
    preserve = bool(body.get("preserveCertOrder"))
    leaf, *above = arranged(key, found, preserve=preserve)
    enabled = (body.get("attributes") or {}).get("enabled", True)
    chain = tuple(_der(each) for each in above)
    entry = store.place(ask.name, policy)
    entry.versions.append(Version(leaf, chain, key, tags, enabled, preserve))
    return answer(bundle(ask.base, store, entry, entry.current))


def create(store: Store, ask: Ask) -> Response:
    body = ask.body
    policy = completed_policy(body.get("policy"), "Self")
    issuer, wanted = policy["issuer"], policy.get("x509_props") or {}
    if issuer["name"] not in {"Self", "Unknown", *store.issuers}:
        raise Refusal(404, "CertificateIssuerNotFound", f"Issuer not found: {issuer['name']}")
    if not wanted.get("subject") and not any((wanted.get("sans") or {}).values()):
        raise bad("Property policy.x509_props.subject is required")
    before = store.writable(ask.name)
    tags = checked_tags(body.get("tags"))
    key = make_key(policy.get("key_props") or {})
    pending = Pending(key, signing_request(key, wanted), issuer, tags)
    entry = store.place(ask.name, policy)
    entry.pending = pending
    entry.shell_tags = tags
    if before is None or before.current is None:
        entry.created = pending.created
    shown = answer(operation(ask.base, entry, pending), 202)
    if issuer["name"] == "Self":
        complete(store, entry, [issue(pending.csr, key, "Self")])
    return shown


def get_pending(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    return answer(operation(ask.base, entry, _pending(entry)))


def cancel_pending(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    pending = _pending(entry)
    if not pending.under_way:
        raise Refusal(403, "Forbidden", "Pending status must be in progress to allow update.")
    pending.cancelled = bool(ask.body.get("cancellation_requested"))
    pending.status = "cancelled" if pending.cancelled else pending.status
    return answer(operation(ask.base, entry, pending))


def delete_pending(store: Store, ask: Ask) -> Response:
    """Delete the operation; a certificate that had no version before stays, disabled and unlisted."""
    entry = store.entry(ask.name)
    pending = _pending(entry)
    entry.pending = None
    return answer(operation(ask.base, entry, pending))


def merge(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    pending = _pending(entry)
    if pending.issuer["name"] != "Unknown" or not pending.under_way:
        raise Refusal(403, "Forbidden", "The pending certificate does not await a merge.")
    found = [x509.load_der_x509_certificate(each) for each in read_merged(ask.body["x5c"])]
    if spki(found[0]) != spki(pending.key):
        raise bad("Property x5c has invalid value: its public key is not the pending certificate's")
    if (tags := ask.body.get("tags")) is not None:
        pending.tags = checked_tags(tags)
    complete(store, entry, found)
    return answer(bundle(ask.base, store, entry, entry.current), 201)


def delete(store: Store, ask: Ask) -> Response:
    entry = store.entry(ask.name)
    del store.entries[ask.name.lower()]
    gone = store.deleted[ask.name.lower()] = Deleted(entry, store.slow_polls)
    shown = bundle(ask.base, store, entry, entry.current)
    return answer({**shown, **deletion(ask.base, store, gone)})


def get_deleted(store: Store, ask: Ask) -> Response:
    gone = _deleted(store, ask.name)
    shown = bundle(ask.base, store, gone.entry, gone.entry.current)
    return answer({**shown, **deletion(ask.base, store, gone)})


def recover(store: Store, ask: Ask) -> Response:
    gone = _deleted(store, ask.name)
    del store.deleted[ask.name.lower()]
    gone.entry.polls = store.slow_polls
    store.entries[ask.name.lower()] = gone.entry
    return answer(bundle(ask.base, store, gone.entry, gone.entry.current))


def purge(store: Store, ask: Ask) -> Response:
    _deleted(store, ask.name)
    if store.purge_protection:
        raise Refusal(403, "Forbidden", "Operation 'purge' is not allowed on this vault.")
    del store.deleted[ask.name.lower()]
    return Response(204)


def complete(store: Store, entry: Entry, found: Sequence[x509.Certificate]) -> None:
    """Let a pending creation end with these certificates, leaf first."""
    pending = _pending(entry)
    chain = tuple(_der(each) for each in found[1:])
    entry.versions.append(Version(found[0], chain, pending.key, pending.tags, id=pending.id))
    pending.status = "completed"


def _page(store: Store, ask: Ask, path: str, items: list[Json]) -> Response:
    size = int(ask.request.query.get("maxresults", PAGE))
    if not 1 <= size <= PAGE:
        raise bad("Property maxresults has invalid value")
    start = int(ask.request.query.get("$skiptoken", "0"))
    shown, rest = items[start : start + size], items[start + size :]
    more = bool(rest) or (store.empty_last_page and bool(shown))
    version = ask.request.query["api-version"]
    pending = ask.request.query.get("includePending")
    kept = f"&includePending={pending}" if pending else ""
    query = f"api-version={version}&$skiptoken={start + size}&maxresults={size}{kept}"
    link = f"{ask.base}/{path}?{query}" if more else None
    return answer({"value": shown, "nextLink": link})


def _version(entry: Entry, id_: str) -> Version:
    for version in entry.versions:
        if version.id == id_:
            return version
    raise not_found(f"{entry.name}/{id_}")


def _pending(entry: Entry) -> Pending:
    if entry.pending is None:
        raise no_pending(entry.name)
    return entry.pending


def _deleted(store: Store, name: str) -> Deleted:
    gone = store.deleted.get(name.lower())
    if gone is None:
        raise Refusal(404, "CertificateNotFound", f"Deleted Certificate not found: {name}")
    gone.polls -= 1
    if gone.polls >= 0:
        raise Refusal(404, "CertificateNotFound", f"Deleted Certificate not found: {name}")
    return gone


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
