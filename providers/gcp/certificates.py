"""Certificates of the service: looked up, brought there with their key, labelled and deleted."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.cloud import certificate_manager_v1 as api

from providers.base import Bundle, Installed, InstallRequest
from providers.errors import Conflict, InUse, NotFound, Rejected
from providers.failpoints import reach
from providers.gcp.authorization import Authorizations
from providers.gcp.errors import Unmet
from providers.gcp.labels import sealed, unsealed
from providers.gcp.ownership import check_ours
from providers.gcp.reading import installed, is_waiting
from providers.gcp.service import Service
from providers.pairing import Pair
from schemas.clouds import GcpScope

_SCOPES = {
    GcpScope.DEFAULT: api.Certificate.Scope.DEFAULT,
    GcpScope.EDGE_CACHE: api.Certificate.Scope.EDGE_CACHE,
    GcpScope.ALL_REGIONS: api.Certificate.Scope.ALL_REGIONS,
    GcpScope.CLIENT_AUTH: api.Certificate.Scope.CLIENT_AUTH,
}


@dataclass(frozen=True, slots=True)
class Certificates:
    """Those of one location; `scope` is for new ones, since it never changes for one that is there."""

    service: Service
    owner: str
    scope: GcpScope

    def path(self, name: str) -> str:
        """Return the full name of a certificate."""
        return f"{self.service.parent}/certificates/{name}"

    def find(self, path: str) -> Installed | None:
        """Return the certificate of that full name, None when it is certainly not there."""
        found = self.service.find(self.service.client.get_certificate, path)
        return None if found is None else self.told([found])[0]

    def told(self, resources: Sequence[Any]) -> Sequence[Installed]:
        """Return certificates of the service, those that wait for a DNS record with that record."""
        waits = any(map(is_waiting, resources))
        records = Authorizations(self.service, self.owner).records() if waits else {}
        return [installed(resource, records) for resource in resources]

    def authorizations(self, path: str) -> Sequence[str]:
        """Return the full names of the DNS authorizations that a certificate refers to."""
        found = self.service.find(self.service.client.get_certificate, path)
        return () if found is None else tuple(found.managed.dns_authorizations)

    def ours(self, expected: Installed) -> Installed | None:
        """Return what was observed as it is now, None when it is gone; raises `Conflict` for another."""
        found = self.find(expected.id)
        if found is not None:
            check_ours(found, expected, self.owner)
        return found

    def install(self, request: InstallRequest, pair: Pair) -> Installed:
        """Create a certificate, or replace in one call what one of ours holds; its name stays.

        Where it is there already its key is not asked for.
        """
        wanted = _Wanted(self.path(request.name), request.bundle, request.labels, pair)
        if request.predecessor is None:
            made = self._create(wanted)
        else:
            made = self._update(wanted, request.predecessor)
        reach("gcp.imported")
        return made

    def create(
        self, path: str, resource: Any, is_there: Callable[[Installed], bool], *, secretly: bool
    ) -> Installed:
        """Create what is not there yet; what is there already is `Conflict`, unless it is just that."""
        parent, _, name = path.rsplit("/", 2)
        resource.scope = _SCOPES[self.scope]
        new = {"parent": parent, "certificate_id": name, "certificate": resource}
        make = self.service.client.create_certificate

        def change() -> None:
            request = api.CreateCertificateRequest(**new)
            self.service.change(make, request, secretly=secretly)

        try:
            return self.service.settle(change, lambda: self._if(path, is_there), path)
        except Conflict:
            found = self._if(path, is_there)
            if found is None:
                raise Conflict(f"{path} is there already") from None
            return found

    def relabel(
        self, found: Installed, labels: Mapping[str, str], taken_off: Collection[str] = ()
    ) -> Installed:
        """Set labels of a certificate and take some off; the others that it has stay."""
        current = self.service.read(self.service.client.get_certificate, found.id)
        kept = {key: value for key, value in current.labels.items() if key not in taken_off}
        wanted = {**kept, **labels}
        if wanted == dict(current.labels):
            return self.told([current])[0]
        resource = api.Certificate(name=found.id, labels=wanted)

        def is_there(now: Installed) -> bool:
            return unsealed(wanted) == now.labels

        return self._patch(resource, ("labels",), is_there, secretly=False)

    def delete(self, found: Installed) -> None:
        """Delete a certificate, unless it is gone already; raises `InUse`, with what refers to it."""
        request = api.DeleteCertificateRequest(name=found.id)

        def change() -> None:
            self.service.change(self.service.client.delete_certificate, request)

        try:
            self.service.settle(change, lambda: self.find(found.id) is None or None, found.id)
        except NotFound:
            return
        except Unmet as refusal:
            users = ", ".join(found.used_by) or str(refusal)
            raise InUse(f"{found.id} is in use: {users}") from None

    def _create(self, wanted: "_Wanted") -> Installed:
        resource = api.Certificate(labels=wanted.sealed({}), self_managed=wanted.content())
        return self.create(wanted.path, resource, wanted.is_there, secretly=True)

    def _update(self, wanted: "_Wanted", predecessor: Installed) -> Installed:
        found = self.find(wanted.path)
        if found is None:
            raise Conflict(f"{wanted.path} is gone")
        if wanted.is_there(found):
            return found
        check_ours(found, predecessor, self.owner)
        if wanted.is_held(found):
            return self.relabel(found, wanted.labels)
        resource = api.Certificate(
            name=wanted.path, labels=wanted.sealed(found.labels), self_managed=wanted.content()
        )
        return self._patch(resource, ("self_managed", "labels"), wanted.is_there, secretly=True)

    def _patch(
        self,
        resource: Any,
        fields: tuple[str, ...],
        is_there: Callable[[Installed], bool],
        *,
        secretly: bool,
    ) -> Installed:
        request = api.UpdateCertificateRequest(
            certificate=resource, update_mask={"paths": list(fields)}
        )
        update = self.service.client.update_certificate
        return self.service.settle(
            lambda: self.service.change(update, request, secretly=secretly),
            lambda: self._if(resource.name, is_there),
            resource.name,
        )

    def _if(self, path: str, is_there: Callable[[Installed], bool]) -> Installed | None:
        found = self.find(path)
        return found if found is not None and is_there(found) else None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be there under a full name."""

    path: str
    bundle: Bundle = field(repr=False)
    labels: Mapping[str, str]
    pair: Pair

    @property
    def pems(self) -> tuple[bytes, ...]:
        return (self.bundle.certificate, *self.bundle.chain)

    def sealed(self, others: Mapping[str, str]) -> dict[str, str]:
        """Return all labels it is to have; those that others put there stay."""
        return sealed({**others, **self.labels}, self.pems, self.pair.trust)

    def content(self) -> api.Certificate.SelfManagedCertificate:
        """Return leaf, chain and key: never to be shown; raises `Rejected` without a key."""
        if self.bundle.private_key is None:
            raise Rejected("Certificate Manager makes no keys: a certificate comes with its own")
        return api.Certificate.SelfManagedCertificate(
            pem_certificate=b"".join(self.pems).decode(),
            pem_private_key=self.bundle.held_key.reveal().decode(),
        )

    def is_held(self, found: Installed) -> bool:
        """Whether what is found holds just that, whatever it is labelled."""
        return (found.sha256, found.trust) == (self.pair.sha256, self.pair.trust)

    def is_there(self, found: Installed) -> bool:
        """Whether what is found is just that."""
        return self.is_held(found) and self.labels.items() <= found.labels.items()
