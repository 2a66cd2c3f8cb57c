"""AWS on loopback: ACM, its tags and Route 53 as they really behave, STS and everything else by moto.

An unmodified SDK in any process finds it by `environment()`. Other corrected services may be put into
`services`, by the name that requests are signed for (`kms`, `acm-pca`); what is not there is moto's.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs

import acm_tagging
import dns_route53
from acm_service import Acm
from acm_store import Store
from aws_errors import Refusal
from aws_moto import Moto, account_of
from wire import Request, Response, Service, Wire

ACCOUNT = "123456789012"
"""The account of whoever assumed no role; moto's own."""
_SCOPE = re.compile(r"Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_XML = ("sts", "route53")
_JSON = {"content-type": "application/x-amz-json-1.1"}


@dataclass(frozen=True)
class Caller:
    """Who signed a request, for which region and service."""

    access_key: str
    region: str
    service: str

    @classmethod
    def of(cls, request: Request) -> "Caller":
        found = _SCOPE.search(request.headers.get("authorization", ""))
        # what comes from a workflow with a token of its own is not signed
        return cls(*found.groups()) if found else cls("", "us-east-1", "sts")


@dataclass
class AwsEmulator:
    """`denied` and `unknown` name operations, `external_ids` what roles want; `expired` is of the token."""

    denied: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    external_ids: dict[str, str] = field(default_factory=dict)
    expired: bool = False
    services: dict[str, Service] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.stores: dict[tuple[str, str], Store] = {}
        self.acm = Acm()
        self.moto = Moto()
        self.wire = Wire(self._answer, operation)
        corrected: dict[str, Service] = {
            "acm": self._acm,
            "tagging": self._tagging,
            "sts": self._sts,
            "route53": dns_route53.Route53(self.moto, _account),
        }
        self.services = corrected | self.services

    @contextmanager
    def running(self) -> Iterator["AwsEmulator"]:
        """Serve on a free port until the end of the context."""
        with self.wire.running():
            yield self

    def environment(self) -> dict[str, str]:
        """The environment in which an SDK talks to the emulator and to nothing else."""
        return {
            "AWS_ENDPOINT_URL": self.wire.url,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def store(self, region: str = "eu-west-1", account: str = ACCOUNT) -> Store:
        """What an account holds in a region."""
        return self.stores.setdefault((account, region), Store(account, region))

    def use(self, arn: str, *users: str) -> None:
        """Let resources use a certificate; none frees it."""
        self.acm.users[arn] = list(users)

    def _answer(self, request: Request) -> Response:
        caller, name = Caller.of(request), operation(request)
        try:
            self._admit(caller, name)
            return self.services.get(caller.service, self.moto)(request)
        except Refusal as refusal:
            return refusal.as_query() if caller.service in _XML else refusal.as_json()

    def _admit(self, caller: Caller, name: str) -> None:
        if self.expired:
            raise Refusal(
                "ExpiredTokenException", "The security token included in the request is expired"
            )
        if name in self.denied:
            raise Refusal(
                "AccessDenied" if caller.service in _XML else "AccessDeniedException",
                f"User: arn:aws:iam::{ACCOUNT}:user/someone is not authorized to perform:"
                f" {caller.service}:{name} because no identity-based policy allows it",
                403 if caller.service in _XML else 400,
            )
        if name in self.unknown:
            raise Refusal("UnknownOperationException", "")

    def _acm(self, request: Request) -> Response:
        body = self.acm.answer(operation(request), request.body, self._held(request))
        return Response(200, body, _JSON)

    def _tagging(self, request: Request) -> Response:
        body = acm_tagging.answer(operation(request), request.body, self._held(request))
        return Response(200, body, _JSON)

    def _sts(self, request: Request) -> Response:
        form = {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
        wanted = self.external_ids.get(form.get("RoleArn", ""))
        if wanted is not None and form.get("ExternalId") != wanted:
            raise Refusal("AccessDenied", "not authorized to perform: sts:AssumeRole", 403)
        return self.moto(request)

    def _held(self, request: Request) -> Store:
        return self.store(Caller.of(request).region, _account(request))


def _account(request: Request) -> str:
    return account_of(Caller.of(request).access_key)


def operation(request: Request) -> str:
    """Return what a request asks for: its target, its action, or its method where it has neither."""
    if target := request.headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if "x-www-form-urlencoded" in request.headers.get("content-type", ""):
        return parse_qs(request.body.decode()).get("Action", [request.method])[-1]
    return dns_route53.operation(request)
