"""The calls certform makes to a vault, one method each: retried and explained in one place.

https://learn.microsoft.com/rest/api/keyvault/certificates/operation-groups
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from azure.core.paging import ItemPaged
from azure.core.rest import HttpRequest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy

from providers.azure.creation import Creation
from providers.azure.errors import Forbidden
from providers.azure.held import Held
from providers.calls import Calls
from providers.errors import Ambiguous, Denied, NotFound, Unreachable
from providers.secret import Secret

_ROUNDS, _PAUSE = 30, 2.0
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Service:
    """One vault's certificates. Every method raises ProviderError, and names a permission that is missing."""

    url: str
    client: CertificateClient
    calls: Calls

    def listing(self) -> Iterator[Held]:
        """Return every certificate, those under creation too: one call for 25 of them."""
        with _needing("list", "read"):
            for page in self._pages(
                lambda: self.client.list_properties_of_certificates(include_pending=True)
            ):
                yield from (Held.listed(self.url, each) for each in page)

    def deleted(self) -> Iterator[Held]:
        """Return every soft-deleted certificate: one call for 25 of them."""
        with _needing("list", "read"):
            for page in self._pages(self.client.list_deleted_certificates):
                yield from (Held.deleted(self.url, each) for each in page)

    def get(self, name: str) -> Held | None:
        """Return the latest version, None when there is no such name."""
        with _needing("get", "read"):
            found = self._found(lambda: self.client.get_certificate(name))
        return None if found is None else Held.got(self.url, found)

    def get_deleted(self, name: str) -> Held | None:
        """Return a soft-deleted certificate, None when its deletion is not finished or was none."""
        with _needing("get", "read"):
            found = self._found(lambda: self.client.get_deleted_certificate(name))
        return None if found is None else Held.deleted(self.url, found)

    def creation(self, name: str) -> Creation | None:
        """Return the creation that is under way under a name, or how the last one ended."""
        with _needing("get", "read"):
            found = self._found(lambda: self.client.get_certificate_operation(name))
        return None if found is None else Creation.told(found)

    def import_pem(
        self, name: str, content: Secret, policy: CertificatePolicy, tags: Mapping[str, str]
    ) -> Held:
        """Import a key with its certificates, leaf first, as a new version."""
        with _needing("import", "import/action"):
            made = self.calls.change_secretly(
                lambda: self.client.import_certificate(
                    name,
                    content.reveal(),
                    policy=policy,
                    tags=dict(tags),
                    enabled=True,
                    preserve_order=True,
                )
            )
        return Held.got(self.url, made)

    def create(self, name: str, policy: Mapping[str, Any], tags: Mapping[str, str]) -> Creation:
        """Let the vault make a key, and a signing request for it."""
        body = {"policy": policy, "tags": dict(tags), "attributes": {"enabled": True}}

        # the SDK's own method starts a thread that polls for ever
        def ask() -> Any:
            request = HttpRequest("POST", f"/certificates/{name}/create", json=body)
            response = self.client.send_request(request)
            response.raise_for_status()
            return response.json()

        with _needing("create", "create/action"):
            return Creation.answered(self.calls.change(ask))

    def merge(self, name: str, certificates: Sequence[bytes], tags: Mapping[str, str]) -> Held:
        """Give the key that waits its certificate (DER), and those above it."""
        with _needing("create", "create/action"):
            made = self.calls.change(
                lambda: self.client.merge_certificate(
                    name, [*certificates], enabled=True, tags=dict(tags)
                )
            )
        return Held.got(self.url, made)

    def update(self, held: Held, tags: Mapping[str, str], *, enabled: bool | None = None) -> Held:
        """Replace the tags of the version that was looked at, never of a newer one; enable it on request."""
        with suppress(Ambiguous), _needing("update", "update/action"):
            self.calls.change(
                lambda: self.client.update_certificate_properties(
                    held.name, held.version, enabled=enabled, tags=dict(tags)
                )
            )
        found = self.get(held.name)
        if found is None or found.tags != dict(tags) or (enabled and not found.enabled):
            raise Ambiguous(f"the vault does not show the change of {held.name} yet: apply again")
        return found

    def discard_creation(self, name: str) -> None:
        """Drop a creation, with its key; one that is gone already is no error."""
        with _needing("update", "update/action"):
            self._gone(lambda: self.client.delete_certificate_operation(name))

    def delete(self, name: str) -> None:
        """Soft-delete a name with all its versions; it is out of sight at once."""
        with _needing("delete", "delete"):
            self._gone(lambda: self.client.begin_delete_certificate(name))

    def await_deletion(self, name: str) -> None:
        """Wait until a deletion is finished, so that the name can be recovered; for a minute at most."""
        for _ in range(_ROUNDS):
            try:
                if self.get_deleted(name) is not None:
                    return
            except Denied:
                return
            self.calls.sleep(_PAUSE)

    def recover(self, name: str) -> Held:
        """Recover what is soft-deleted, and wait for it to be there."""
        with suppress(Ambiguous), _needing("recover", "recover/action"):
            self.calls.change(lambda: self.client.begin_recover_deleted_certificate(name))
        for _ in range(_ROUNDS):
            if (found := self.get(name)) is not None:
                return found
            self.calls.sleep(_PAUSE)
        raise Ambiguous(f"the vault has not recovered {name} yet")

    def _found(self, call: Callable[[], Item]) -> Item | None:
        try:
            return self.calls.read(call)
        except NotFound:
            return None

    def _gone(self, call: Callable[[], object]) -> None:
        try:
            self.calls.change(call)
        except NotFound:
            return

    def _pages(self, listing: Callable[[], ItemPaged[Item]]) -> Iterator[list[Item]]:
        token: str | None = None
        seen: set[str] = set()
        while True:
            items, link = self.calls.read(lambda: _page(listing(), token))  # noqa: B023
            yield items
            if link is None:
                return
            token = self._here(link)
            if token in seen:
                raise Unreachable("the vault's listing does not go on as it should")
            seen.add(token)

    def _here(self, link: str) -> str:
        """Return where the next page is by our name for the vault: a token never goes anywhere else."""
        parts = urlsplit(link)
        return f"{self.url}{parts.path}?{parts.query}"


def _page(listing: ItemPaged[Item], token: str | None) -> tuple[list[Item], str | None]:
    """Return one page and where the next one is.

    Every page has an iterator of its own: the SDK's goes to its end where an answer was unreadable.
    """
    pages: Any = listing.by_page(continuation_token=token)
    return list(next(pages)), pages.continuation_token


@contextmanager
def _needing(permission: str, action: str) -> Iterator[None]:
    try:
        yield
    except Forbidden as why:
        raise Forbidden(
            f"the permission `certificates/{permission}` is missing: grant it in the vault's access policy,"
            f" or the data action Microsoft.KeyVault/vaults/certificates/{action} by a role ({why})"
        ) from None
