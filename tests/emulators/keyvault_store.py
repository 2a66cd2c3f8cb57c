"""The store behind an emulated vault, with its switches, and how its objects are written as JSON."""

import base64
import threading
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from keyvault_errors import bad, being, in_deleted_state, in_progress, not_found
from keyvault_state import Deleted, Entry, Json, Key, Pending, Version, now

DAY = 86_400
PAGE = 25
_MOST_TAGS, _LONGEST_TAG = 15, 512


@dataclass(slots=True)
class Store:
    """One vault. The names of what is deleted stay taken.

    `slow_polls` is how often a deletion or recovery has to be asked for until it is finished;
    `denied` holds permissions (`list`, `import`, `recover` ...) that the caller lacks; `pending_hides`
    tells whether a creation under way is shown in place of the version before it.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    deleted: dict[str, Deleted] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    issuers: set[str] = field(default_factory=set)
    rbac: bool = True
    purge_protection: bool = False
    retention_days: int = 90
    slow_polls: int = 0
    empty_last_page: bool = False
    pending_hides: bool = False
    authority: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    lock: threading.RLock = field(default_factory=threading.RLock)

    def entry(self, name: str) -> Entry:
        """Return what is there under a name; a name that is being recovered is not there yet."""
        found = self.entries.get(name.lower())
        if found is None:
            raise not_found(name)
        if found.polls > 0:
            found.polls -= 1
            raise not_found(name)
        return found

    def shown(self, entry: Entry) -> Version | None:
        """Return the version that is shown as the latest, None for a creation that has none yet."""
        return None if self.pending_hides and entry.busy else entry.current

    def writable(self, name: str) -> Entry | None:
        """Return what is under a name that a new version may be made of, None for a new name."""
        gone = self.deleted.get(name.lower())
        if gone is not None:
            gone.polls -= 1
            raise being(name, "Deleted") if gone.polls >= 0 else in_deleted_state(name)
        found = self.entries.get(name.lower())
        if found is not None and found.polls > 0:
            found.polls -= 1
            raise being(name, "Recovered")
        if found is not None and found.busy:
            raise in_progress()
        return found

    def place(self, name: str, policy: Json) -> Entry:
        """Return the entry of a name that `writable` allowed, with this policy from now on."""
        entry = self.entries.setdefault(name.lower(), Entry(name, policy))
        entry.policy = policy
        return entry


def checked_tags(tags: dict[str, str] | None) -> dict[str, str]:
    tags = dict(tags or {})
    if len(tags) > _MOST_TAGS:
        raise bad(f"Property tags has more than {_MOST_TAGS} entries")
    if any(len(text) > _LONGEST_TAG for pair in tags.items() for text in pair):
        raise bad(f"Property tags has a name or value of more than {_LONGEST_TAG} characters")
    return tags


def completed_policy(policy: Json | None, issuer: str) -> Json:
    """Return a policy with what the service puts where nothing is said.

    Where nothing is said of renewal, the service renews by itself what it is able to.
    """
    whole: Json = {**(policy or {})}
    whole["issuer"] = {"name": issuer, **(whole.get("issuer") or {})}
    if not whole.get("lifetime_actions"):
        action = "EmailContacts" if whole["issuer"]["name"] == "Unknown" else "AutoRenew"
        trigger = {"lifetime_percentage": 80}
        whole["lifetime_actions"] = [{"trigger": trigger, "action": {"action_type": action}}]
    return whole


def item(base: str, entry: Entry, version: Version | None) -> Json:
    """Return what a listing tells: no version, no serial, no policy."""
    listed: Json = {
        "id": f"{base}/certificates/{entry.name}",
        "attributes": entry.unfinished if version is None else version.attributes,
        "tags": entry.shell_tags if version is None else version.tags,
        "subject": "",
    }
    if version is not None:
        listed["x5t"] = _url64(version.thumbprint)
    return listed


def bundle(base: str, store: Store, entry: Entry, version: Version | None) -> Json:
    """Return what GET tells of one version, or of a certificate that has none yet."""
    recovery = "Recoverable" if store.purge_protection else "Recoverable+Purgeable"
    held: Json = {"recoveryLevel": recovery, "recoverableDays": store.retention_days}
    if version is None:
        shown = entry.pending.id if entry.pending else "0" * 32
        return {
            "id": f"{base}/certificates/{entry.name}/{shown}",
            "attributes": {**entry.unfinished, **held},
            "tags": entry.shell_tags,
            "policy": entry.policy,
            "pending": {"id": f"{base}/certificates/{entry.name}/pending"},
        }
    return {
        "id": f"{base}/certificates/{entry.name}/{version.id}",
        "kid": f"{base}/keys/{entry.name}/{version.id}",
        "sid": f"{base}/secrets/{entry.name}/{version.id}",
        "x5t": _url64(version.thumbprint),
        "cer": base64.b64encode(version.der).decode(),
        "attributes": {**version.attributes, **held},
        "tags": version.tags,
        "policy": {"id": f"{base}/certificates/{entry.name}/policy", **entry.policy},
        "preserveCertOrder": version.preserve_order,
    }


def operation(base: str, entry: Entry, pending: Pending) -> Json:
    shown: dict[str, Any] = {
        "id": f"{base}/certificates/{entry.name}/pending",
        "issuer": pending.issuer,
        "csr": base64.b64encode(pending.csr).decode(),
        "cancellation_requested": pending.cancelled,
        "status": pending.status,
        "status_details": pending.detail,
        "request_id": pending.id,
        "preserveCertOrder": pending.preserve_order,
    }
    if pending.error is not None:
        shown["error"] = pending.error
    if pending.status == "completed":
        shown["target"] = f"{base}/certificates/{entry.name}"
    return shown


def deletion(base: str, store: Store, gone: Deleted) -> Json:
    return {
        "recoveryId": f"{base}/deletedcertificates/{gone.entry.name}",
        "deletedDate": gone.at,
        "scheduledPurgeDate": gone.at + store.retention_days * DAY,
    }


def touch(version: Version) -> None:
    version.updated = max(now(), version.updated)


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
