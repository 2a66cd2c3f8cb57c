"""What Certificate Manager refuses to create, to change and to delete, kind by kind."""

import hashlib
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from certificate_manager_certificates import check_domain, check_pair, dns_names, read_chain
from certificate_manager_errors import Refusal, invalid, missing, precondition
from certificate_manager_kinds import collection_of
from google.cloud import certificate_manager_v1 as api

_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
_ID = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,62}")
_MOST_LABELS, _MOST_ATTACHED, _MOST_TRUST_BYTES = 64, 4, 5 * 1024


@dataclass(slots=True)
class Rules:
    """`resources` are all there are, by full name; `references` are made by other services.

    `keeps_names` lets it refuse other DNS names for a certificate that is replaced in place.
    """

    resources: dict[str, Any] = field(default_factory=dict)
    references: dict[str, list[str]] = field(default_factory=dict)
    keeps_names: bool = False

    def check_created(self, name: str, resource: Any) -> None:
        """Refuse what cannot be, and fill in what the service tells; no key stays in the resource."""
        if not _ID.fullmatch(name.rsplit("/", 1)[1]):
            raise invalid(f"Invalid resource ID in {name}")
        check_labels(resource.labels)
        parent = name.rsplit("/", 2)[0]
        if collection_of(name) == "certificateMapEntries" and parent not in self.resources:
            raise missing(parent)
        match resource:
            case api.Certificate():
                self._create_certificate(name, resource)
            case api.CertificateMap() if "/locations/global/" not in name:
                raise invalid("Certificate maps are supported in the location global only.")
            case api.CertificateMapEntry():
                self._create_entry(name, resource)
            case api.DnsAuthorization():
                self._create_authorization(name, resource)
            case api.TrustConfig():
                check_trust(resource)

    def check_updated(self, old: Any, new: Any, paths: list[str]) -> None:
        """Refuse a change that leads to what cannot be."""
        check_labels(new.labels)
        match new:
            case api.Certificate() if "self_managed" in paths:
                if "self_managed" not in old:
                    raise invalid("The type of the certificate cannot be changed.")
                names = list(old.san_dnsnames)
                _accept(new)
                if self.keeps_names and sorted(names) != sorted(new.san_dnsnames):
                    raise invalid("The domain names of the certificate cannot be changed.")
            case api.CertificateMapEntry():
                self._check_attached(new)
            case api.TrustConfig():
                if new.etag and new.etag != etag_of(old):
                    raise Refusal("ABORTED", "The etag does not match the current one.")
                check_trust(new)

    def check_deleted(self, name: str, etag: str = "") -> None:
        """Refuse to delete what something refers to."""
        resource = self.resources[name]
        if users := self.users().get(name):
            raise precondition(f"{name} is still in use by {', '.join(users)}")
        if etag and etag != etag_of(resource):
            raise Refusal("ABORTED", "The etag does not match the current one.")

    def users(self) -> dict[str, list[str]]:
        """Return what refers to each resource that something refers to, by full names."""
        found = {name: list(users) for name, users in self.references.items()}
        for other, resource in self.resources.items():
            for name in _referred(other, resource):
                found.setdefault(name, []).append(other)
        return found

    def _create_certificate(self, name: str, resource: api.Certificate) -> None:
        if "self_managed" in resource:
            _accept(resource)
        elif "managed" in resource:
            self._create_managed(resource)
        else:
            raise invalid("One of self_managed and managed must be given.")
        scope = api.Certificate.Scope
        if resource.scope != scope.DEFAULT and "/locations/global/" not in name:
            raise invalid(f"Scope {resource.scope.name} is supported in the location global only.")

    def _create_managed(self, resource: api.Certificate) -> None:
        managed: Any = resource.managed
        if not 1 <= len(managed.domains) <= 100:
            raise invalid("A managed certificate has 1 to 100 domains.")
        for domain in managed.domains:
            check_domain(domain)
        authorized = {self._authorized(name) for name in managed.dns_authorizations}
        for domain in managed.domains:
            if authorized and domain.removeprefix("*.") not in authorized:
                raise invalid(f"No DNS authorization is given for {domain}.")
            if domain.startswith("*.") and not authorized:
                raise invalid("A wildcard needs a DNS authorization.")
        managed.state = api.Certificate.ManagedCertificate.State.PROVISIONING
        resource.san_dnsnames = list(managed.domains)

    def _authorized(self, name: str) -> str:
        if name not in self.resources:
            raise missing(name)
        return str(self.resources[name].domain)

    def _create_entry(self, name: str, entry: Any) -> None:
        if bool(entry.hostname) == bool(entry.matcher):
            raise invalid("Exactly one of hostname and matcher must be given.")
        if entry.hostname:
            check_domain(entry.hostname)
        self._check_attached(entry)
        parent = name.rsplit("/", 1)[0]
        for other, resource in self.resources.items():
            if other.startswith(f"{parent}/") and resource.hostname == entry.hostname:
                raise Refusal("ALREADY_EXISTS", f"{other} has this hostname already")
        entry.state = api.ServingState.ACTIVE

    def _check_attached(self, entry: api.CertificateMapEntry) -> None:
        if not 1 <= len(entry.certificates) <= _MOST_ATTACHED:
            raise invalid(f"A certificate map entry has 1 to {_MOST_ATTACHED} certificates.")
        if len(set(entry.certificates)) != len(entry.certificates):
            raise invalid("A certificate is attached twice.")
        for name in entry.certificates:
            if name not in self.resources:
                raise missing(name)

    def _create_authorization(self, name: str, authorization: Any) -> None:
        domain = authorization.domain
        check_domain(domain)
        if domain.startswith("*."):
            raise invalid("A DNS authorization covers its domain and the wildcard of it.")
        location = name.rsplit("/", 1)[0]
        for other, resource in self.resources.items():
            if other.startswith(f"{location}/") and resource.domain == domain:
                raise Refusal("ALREADY_EXISTS", f"{other} authorizes this domain already")
        authorization.type_ = api.DnsAuthorization.Type.FIXED_RECORD
        authorization.dns_resource_record = api.DnsAuthorization.DnsResourceRecord(
            name=f"_acme-challenge.{domain}.",
            type_="CNAME",
            data=f"{uuid.uuid4()}.1.authorize.certificatemanager.goog.",
        )


def _referred(name: str, resource: Any) -> list[str]:
    match resource:
        case api.CertificateMapEntry():
            return [*resource.certificates, name.rsplit("/", 2)[0]]
        case api.Certificate() if "managed" in resource:
            return list(resource.managed.dns_authorizations)
    return []


def check_labels(labels: Any) -> None:
    if len(labels) > _MOST_LABELS:
        raise invalid(f"There are more than {_MOST_LABELS} labels.")
    for key, value in labels.items():
        if not _LABEL_KEY.fullmatch(key) or not _LABEL_VALUE.fullmatch(value):
            raise invalid(f"Invalid label: {key}")


def check_trust(resource: api.TrustConfig) -> None:
    if len(resource.trust_stores) > 1:
        raise invalid("Only one trust store is allowed.")
    for store in resource.trust_stores:
        held = [each.pem_certificate for each in store.trust_anchors]
        for pem in (*held, *(each.pem_certificate for each in store.intermediate_cas)):
            if len(pem) > _MOST_TRUST_BYTES:
                raise invalid("A certificate is larger than 5 kB.")
            read_chain(pem)
    resource.etag = ""


def etag_of(resource: Any) -> str:
    """Return the checksum of a resource's other fields."""
    return hashlib.sha256(type(resource).serialize(resource)).hexdigest()[:22]


def _accept(resource: api.Certificate) -> None:
    given = resource.self_managed
    chain = check_pair(given.pem_certificate, given.pem_private_key)
    show(resource, given.pem_certificate, dns_names(chain[0]))
    resource.self_managed = api.Certificate.SelfManagedCertificate()


def show(resource: api.Certificate, pem: str, names: list[str]) -> None:
    """Let a certificate tell what it is."""
    resource.pem_certificate = pem
    resource.san_dnsnames = names
    resource.expire_time = read_chain(pem)[0].not_valid_after_utc
