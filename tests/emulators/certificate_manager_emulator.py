"""Google Cloud Certificate Manager v1 on loopback, for the official client over REST."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from certificate_manager_certificates import GoogleCa
from certificate_manager_routes import route_of
from certificate_manager_rules import show
from certificate_manager_service import Service
from google.cloud import certificate_manager_v1 as api
from wire import Request, Tls, Wire

_STATE = api.Certificate.ManagedCertificate.State
_ISSUE = api.Certificate.ManagedCertificate.ProvisioningIssue


@dataclass(slots=True)
class CertificateManagerEmulator:
    """The service and the wire to it; the endpoint is `wire.url`."""

    folder: Path
    wire: Wire
    service: Service
    ca: GoogleCa = field(default_factory=GoogleCa.made)

    @classmethod
    @contextmanager
    def running(cls, folder: Path, *, tls: bool = False) -> Iterator["CertificateManagerEmulator"]:
        """Serve until the end of the context; the account's key file lies in the folder."""
        service = Service()
        wire = Wire(service, operation_of, Tls.made(folder) if tls else None)
        with wire.running():
            emulator = cls(folder, wire, service)
            service.tokens.write_credentials(emulator.credentials, f"{wire.url}/token")
            yield emulator

    @property
    def credentials(self) -> Path:
        return self.folder / "service-account.json"

    @property
    def resources(self) -> dict[str, Any]:
        """Everything there is, by full name: to look at, and to change behind the client's back."""
        return self.service.rules.resources

    def environment(self) -> dict[str, str]:
        """Return what leads any process to this service's account."""
        variables = {
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials),
            "NO_GCE_CHECK": "true",
            "GOOGLE_API_USE_CLIENT_CERTIFICATE": "false",
            "GOOGLE_API_USE_MTLS_ENDPOINT": "never",
        }
        trusted = {"REQUESTS_CA_BUNDLE": str(self.wire.tls.authority)} if self.wire.tls else {}
        return {**variables, **trusted}

    def waiting(self) -> list[str]:
        """Return the managed certificates that wait for DNS records."""
        return [
            name
            for name, resource in self.resources.items()
            if isinstance(resource, api.Certificate)
            and resource.managed.state == _STATE.PROVISIONING
        ]

    def provision(self, name: str) -> None:
        """Let Google issue, or renew, a managed certificate."""
        resource = self.resources[name]
        resource.managed.state = _STATE.ACTIVE
        domains = list(resource.managed.domains)
        show(resource, self.ca.issue(domains), domains)

    def give_up(self, name: str, details: str) -> None:
        """Let Google give a managed certificate up."""
        managed = self.resources[name].managed
        managed.state = _STATE.FAILED
        managed.provisioning_issue = _ISSUE(
            reason=_ISSUE.Reason.AUTHORIZATION_ISSUE, details=details
        )


def operation_of(request: Request) -> str:
    """Return the method that a request asks for; the token endpoint is `Token`."""
    if request.path == "/token":
        return "Token"
    route = route_of(request)
    return route.operation if route else "Unknown"
