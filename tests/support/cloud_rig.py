"""Three clouds on loopback under one roof; what they hold is read from their own stores, not by certform."""

import copy
import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from aws_emulator import Caller
from certificate_manager_errors import Refusal
from clouds import Clouds as Emulators
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from google.cloud import certificate_manager_v1 as api
from keyvault_errors import error
from keyvault_errors import forbidden as azure_forbidden
from wire import Request, Response, Way, Wire

from providers.base import NAME, OWNER
from schemas.clouds import AwsAcm, AzureKeyVault, GcpCertificateManager
from schemas.target import LocalDirectory, TargetSpec

PROJECT = "example-project"
CLOSED = "closed"
"""The file that makes the consumer of the local place refuse what it is given."""
REGIONS = ("eu-west-1", "us-east-1")
_READING = ("Get", "List", "Search", "Describe", "Token", "Challenge")


@dataclass(frozen=True, slots=True)
class Held:
    """One certificate that is really there, and whose it says it is."""

    place: str
    name: str
    owner: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Refusals:
    """What one cloud answers when it will not: too fast, not allowed."""

    throttled: Response
    denied: Response


REFUSALS: Mapping[str, Refusals] = {
    "aws": Refusals(
        Response(400, json.dumps({"__type": "ThrottlingException", "message": "Rate exceeded"}).encode()),
        Response(
            400, json.dumps({"__type": "AccessDeniedException", "message": "not authorized"}).encode()
        ),
    ),
    "azure": Refusals(
        error(429, "Throttled", "too many requests", headers={"Retry-After": "1"}),
        azure_forbidden("some", rbac=False).response,
    ),
    "gcp": Refusals(
        Refusal("RESOURCE_EXHAUSTED", "Quota exceeded", {"Retry-After": "1"}).response,
        Refusal("PERMISSION_DENIED", "Permission denied").response,
    ),
}  # fmt: skip


class Clouds(Emulators):
    """AWS, one Azure Key Vault and Google's Certificate Manager, with what can be asked of their stores."""

    __slots__ = ()

    def specs(self) -> dict[str, TargetSpec]:
        """The places there are; Google's global one has a certificate map and a trust config."""
        acm = TargetSpec(aws_acm=AwsAcm(regions=REGIONS)).places()
        vault = AzureKeyVault(vault=self.azure.url, verify_challenge_resource=False)
        return {
            **{f"aws{place}": spec for place, spec in acm.items()},
            "azure": TargetSpec(azure_key_vault=vault),
            "gcp/europe-west1": self._google("europe-west1"),
            "gcp/global": self._google("global", certificateMap="edge", trustConfig="trust"),
            "local": TargetSpec(
                local_directory=LocalDirectory(path="live"), check=("test", "!", "-e", CLOSED)
            ),
        }

    def documents(self) -> str:
        """The Target documents of one region, the vault and the global location."""
        return _DOCUMENTS.format(
            region=REGIONS[0], vault=self.azure.url, project=PROJECT, endpoint=self.gcp.wire.url
        )

    def held(self) -> list[Held]:
        """Every certificate that is there now, in the words of the emulators' own stores."""
        return [*self._in_acm(), *self._in_vault(), *self._in_manager()]

    def heal(self) -> None:
        """Let nothing fail any more, and forget what was asked."""
        for wire in self.wires.values():
            wire.heal()
            wire.asked.clear()

    def clear(self) -> None:
        """Let all three be empty."""
        self.heal()
        self.aws.stores.clear()
        self.azure.store.entries.clear()
        self.azure.store.deleted.clear()
        self.gcp.resources.clear()
        self.gcp.service.operations.known.clear()

    def kept(self) -> Callable[[], None]:
        """Remember what is there; return what brings it back."""
        acm = {key: copy.deepcopy(store.certificates) for key, store in self.aws.stores.items()}
        vault = copy.deepcopy((self.azure.store.entries, self.azure.store.deleted))
        manager = copy.deepcopy(self.gcp.resources)

        def restore() -> None:
            self.clear()
            for (account, region), certificates in acm.items():
                held = self.aws.store(region, account).certificates
                held.update(copy.deepcopy(certificates))
            entries, deleted = copy.deepcopy(vault)
            self.azure.store.entries.update(entries)
            self.azure.store.deleted.update(deleted)
            self.gcp.resources.update(copy.deepcopy(manager))

        return restore

    def _google(self, location: str, **more: str) -> TargetSpec:
        given = {
            "project": PROJECT,
            "locations": (location,),
            "endpoint": self.gcp.wire.url,
            **more,
        }
        settings = GcpCertificateManager.model_validate(given)
        return TargetSpec(gcp_certificate_manager=settings)

    def _in_acm(self) -> Iterator[Held]:
        for (_, region), store in self.aws.stores.items():
            for each in store.certificates.values():
                assert each.parsed is not None
                digest = digest_of(each.parsed.certificate)
                yield Held(f"aws/{region}", each.tags.get(NAME, ""), each.tags.get(OWNER), digest)

    def _in_vault(self) -> Iterator[Held]:
        for entry in self.azure.store.entries.values():
            if entry.current is not None:
                digest = digest_of(entry.current.certificate)
                yield Held("azure", entry.name, entry.tags.get(OWNER), digest)

    def _in_manager(self) -> Iterator[Held]:
        for path, resource in self.gcp.resources.items():
            if isinstance(resource, api.Certificate):
                leaf = x509.load_pem_x509_certificates(resource.pem_certificate.encode())[0]
                location, name = path.split("/")[3], path.rsplit("/", 1)[1]
                yield Held(f"gcp/{location}", name, resource.labels.get(OWNER), digest_of(leaf))


def cloud_of(place: str) -> str:
    """Return the name of the cloud a place is in."""
    return place.partition("/")[0]


def place_of(cloud: str, request: Request) -> str:
    """Return the place that a request is meant for."""
    if cloud == "aws":
        return f"aws/{Caller.of(request).region}"
    if cloud == "gcp":
        return f"gcp/{[*request.path.split('/'), '', '', '', ''][5]}"
    return cloud


def changes(operation: str) -> bool:
    """Whether an operation changes anything."""
    return not operation.startswith(_READING)


@contextmanager
def answering(wire: Wire, instead: Callable[[Request], Response | None]) -> Iterator[None]:
    """Let a service be asked only where `instead` has no answer to a request."""
    service = wire.service
    wire.service = lambda request: instead(request) or service(request)
    try:
        yield
    finally:
        wire.service = service


@contextmanager
def lagging(wire: Wire, operations: frozenset[str], listings: int) -> Iterator[None]:
    """Let listings show what was there when each was first asked for, so many times each."""
    service, shown = wire.service, dict[tuple[str, bytes], list[Response]]()

    def serve(request: Request) -> Response:
        if wire.operation(request) not in operations:
            return service(request)
        key = (request.target, request.body)
        if key not in shown:
            shown[key] = [service(request)] * (listings + 1)
        return shown[key].pop() if shown[key] else service(request)

    wire.service = serve
    try:
        yield
    finally:
        wire.service = service


@contextmanager
def closed(clouds: "Clouds", places: Collection[str], root: Path, refused: bool) -> Iterator[None]:
    """Let nothing be changed in some places: it is not allowed where `refused`, else the service fails."""

    def instead(cloud: str, request: Request) -> Response | None:
        if not changes(clouds.wires[cloud].operation(request)):
            return None
        if place_of(cloud, request) not in places:
            return None
        return REFUSALS[cloud].denied if refused else Response(503)

    with ExitStack() as stack:
        for cloud, wire in clouds.wires.items():
            stack.enter_context(answering(wire, partial(instead, cloud)))
        if "local" in places:
            (root / CLOSED).touch()
        yield
        (root / CLOSED).unlink(missing_ok=True)


def fail_from(
    wire: Wire, operation: str, nth: int, way: Way, response: Response, times: int | None
) -> None:
    """Let the n-th request of an operation fail, and as many after it as make up `times`."""
    if nth > 1:
        wire.fail(operation, Way.SLOW, times=nth - 1)
    wire.fail(operation, way, response, times=times)


def digest_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 over the certificate (DER) in hex."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


_DOCUMENTS = """\
kind: Target
metadata: {{name: aws}}
spec: {{aws-acm: {{regions: [{region}]}}}}
---
kind: Target
metadata: {{name: azure}}
spec: {{azure-key-vault: {{vault: "{vault}", verifyChallengeResource: false}}}}
---
kind: Target
metadata: {{name: gcp}}
spec:
  gcp-certificate-manager:
    project: {project}
    endpoint: "{endpoint}"
    certificateMap: edge
    trustConfig: trust
"""
