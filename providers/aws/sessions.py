"""Sessions with AWS: one for each role, shared by the targets of a process, and the clients they make."""

import functools
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    CredentialProvider,
    CredentialResolver,
    DeferredRefreshableCredentials,
    create_assume_role_refresher,
)
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from mypy_boto3_acm.client import ACMClient
    from mypy_boto3_resourcegroupstaggingapi.client import ResourceGroupsTaggingAPIClient

CONFIG = Config(
    retries={"total_max_attempts": 1},
    connect_timeout=10,
    read_timeout=30,
    user_agent_extra="certform",
)
"""Retries are `providers.calls`' affair. Times are in seconds."""
SESSION_NAME = "certform"
"""What CloudTrail calls whoever assumed a role."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where, and as whom: by the SDK's own chain, or by a role that is assumed from there."""

    region: str
    role: str | None = None
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of one region. A client may be used by many threads at once."""

    acm: "ACMClient"
    tagging: "ResourceGroupsTaggingAPIClient"


@dataclass(frozen=True, slots=True)
class Sessions:
    """Keeps one session for each role; neither sessions nor the making of clients are thread safe."""

    _made: dict[tuple[str | None, str | None, int], boto3.Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clients(self, access: Access) -> Clients:
        """Return clients; connects nowhere. Raises what the SDK raises of its configuration."""
        with self._lock:
            session = self._session(access)
            return Clients(
                session.client("acm", region_name=access.region, config=CONFIG),
                session.client(
                    "resourcegroupstaggingapi", region_name=access.region, config=CONFIG
                ),
            )

    def client(self, access: Access, make: Callable[[boto3.Session], Any]) -> Any:
        """Return a client of another service, made from the session of a role."""
        with self._lock:
            return make(self._session(access))

    def _session(self, access: Access) -> boto3.Session:
        key = (access.role, access.external_id, _environment())
        if key not in self._made:
            made = _assumed(access) if access.role else boto3.Session()
            made.events.register("after-call", check_readable)
            self._made[key] = made
        return self._made[key]


@functools.cache
def shared() -> Sessions:
    """Return the sessions of this process."""
    return Sessions()


def check_readable(http_response: Any, parsed: dict[str, Any], model: Any, **_: Any) -> None:
    """Raise ResponseParserError for an answer that was not understood.

    The SDK takes a body that it cannot read, such as a proxy's page, for an answer that tells nothing,
    and so for an empty listing.
    """
    told = parsed.keys() - {"ResponseMetadata"}
    expected = model.output_shape is not None and model.output_shape.members
    if http_response.status_code >= 300 or told or not expected:
        return
    if http_response.content.strip() != b"{}":
        raise ResponseParserError("the answer could not be read")


def _environment() -> int:
    """A session belongs to the settings it was made under."""
    return hash(frozenset(each for each in os.environ.items() if each[0].startswith("AWS_")))


class _Assuming(CredentialProvider):
    """Credentials of a role, renewed before they expire."""

    METHOD = "assume-role"

    def __init__(self, refresh: Callable[[], dict[str, str]]) -> None:
        super().__init__()
        self._refresh = refresh

    def load(self) -> DeferredRefreshableCredentials:
        """Return credentials that are asked for when they are first needed."""
        return DeferredRefreshableCredentials(self._refresh, self.METHOD)


def _assumed(access: Access) -> boto3.Session:
    sts = boto3.Session().client("sts", region_name=access.region, config=CONFIG)
    wanted = {"RoleArn": access.role, "RoleSessionName": SESSION_NAME}
    if access.external_id:
        wanted["ExternalId"] = access.external_id
    inner = botocore.session.get_session()
    provider = _Assuming(create_assume_role_refresher(sts, wanted))
    inner.register_component("credential_provider", CredentialResolver([provider]))
    return boto3.Session(botocore_session=inner)
