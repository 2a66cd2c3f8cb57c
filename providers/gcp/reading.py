"""What Certificate Manager lists, as a target tells it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from providers import x509
from providers.base import Content, DnsRecord, Hosting, HostingState, Installed
from providers.gcp.labels import told_trust, unsealed
from providers.x509.content import content

_UNREADABLE = "it holds no certificate that can be read"
_STATES = {2: HostingState.FAILED, 3: HostingState.ACTIVE}
"""`Certificate.ManagedCertificate.State`; what is neither is on its way."""


def installed(resource: Any, records: Mapping[str, DnsRecord]) -> Installed:
    """Return a certificate of the service; `records` are those of DNS authorizations, by full name."""
    labels = dict(resource.labels)
    told = Installed(
        id=resource.name,
        name=resource.name.rsplit("/", 1)[1],
        labels=unsealed(labels),
        serial=None,
        sha256=None,
        not_after=None,
        used_by=tuple(user.name for user in resource.used_by),
        installed_at=_date(resource.update_time),
        hosting=_hosting(resource.managed, records) if "managed" in resource else None,
    )
    try:
        return _with_content(told, resource, labels)
    except ValueError:
        if told.hosting is None or resource.pem_certificate:
            return replace(told, drift=(_UNREADABLE,))
        return replace(told, content=Content(dns_names=tuple(resource.managed.domains)))


def is_waiting(resource: Any) -> bool:
    """Whether a certificate is Google's to issue, and is not issued."""
    return "managed" in resource and _state(resource.managed) is not HostingState.ACTIVE


def _with_content(told: Installed, resource: Any, labels: Mapping[str, str]) -> Installed:
    pems = x509.split_pem(resource.pem_certificate.encode())
    if not pems:
        raise ValueError(_UNREADABLE)
    leaf = x509.facts(pems[0])
    return replace(
        told,
        serial=leaf.serial,
        sha256=leaf.sha256,
        not_after=leaf.not_after,
        trust=told_trust(labels, pems),
        dns_name=next(iter(leaf.dns_names), None),
        content=content(pems[0]),
    )


def _date(value: datetime | None) -> datetime | None:
    """Return a date without the nanoseconds that Google's own type keeps."""
    return value and datetime.fromtimestamp(value.timestamp(), UTC)


def _hosting(managed: Any, records: Mapping[str, DnsRecord]) -> Hosting:
    state = _state(managed)
    if state is HostingState.ACTIVE:
        return Hosting(state)
    wanted = tuple(records[name] for name in managed.dns_authorizations if name in records)
    return Hosting(state, _detail(managed), wanted)


def _state(managed: Any) -> HostingState:
    return _STATES.get(int(managed.state), HostingState.PENDING)


def _named(value: Any) -> str:
    """Return an enum's name; what the client does not know yet is a bare number."""
    return str(getattr(value, "name", value))


def _detail(managed: Any) -> str:
    attempts = (
        f"{attempt.domain}: {attempt.details or _named(attempt.failure_reason)}"
        for attempt in managed.authorization_attempt_info
        if attempt.failure_reason
    )
    words = "; ".join(filter(None, (managed.provisioning_issue.details, *attempts)))
    return words or "Google has not issued it yet; each domain needs its DNS record"
