"""Auth methods of a real OpenBao, each set up as docs/vault.md says, and those who vouch for a job there."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import jwt
from bao import Bao
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from wire import Request, Response, Tls, Wire

AUDIENCE = "https://vault.example.com"
SUBJECT = "repo:example-corp@1234/pki@5678:environment:certificates"
GITHUB = "https://token.actions.githubusercontent.com"
BEARER = "test-only-bearer-of-the-runner"
_PAGE = Path(__file__).parents[2] / "docs/vault.md"
_TOKEN = {"token_policies": ["certform"], "token_no_default_policy": True, "token_ttl": "20m"}
_JSON = {"Content-Type": "application/json"}


def documented_policy() -> str:
    """The policy that the page says is enough."""
    (found,) = re.findall(r"```hcl\n(.*?)```", _PAGE.read_text(), re.DOTALL)
    return str(found)


def documented_commands(heading: str) -> list[list[str]]:
    """The commands that the page gives below a heading."""
    _, _, below = _PAGE.read_text().partition(f"# {heading}\n")
    block = below.partition("```console\n")[2].partition("```")[0].replace("\\\n", "")
    return [shlex.split(line.removeprefix("$ ")) for line in block.splitlines()]


def app_role(bao: Bao, **fields: object) -> tuple[str, str]:
    """Set AppRole up; return role id and secret id."""
    bao.write("sys/auth/approle", {"type": "approle"})
    bao.write("auth/approle/role/certform", {**_TOKEN, **fields})
    role = bao.read("auth/approle/role/certform/role-id")["role_id"]
    made = bao.write("auth/approle/role/certform/secret-id", {})["data"]["secret_id"]
    return str(role), str(made)


@dataclass
class Signatory:
    """Whoever signs JWTs that Vault is told to believe."""

    issuer: str = GITHUB
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    @property
    def public(self) -> str:
        pem = self.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem.decode()

    def token(self, audience: str = AUDIENCE, claims: Mapping[str, object] | None = None) -> str:
        """A token of a job of apply, but for some claims."""
        now = datetime.now(UTC)
        said = {
            "iss": self.issuer,
            "aud": audience,
            "sub": SUBJECT,
            "iat": now,
            "nbf": now,
            "exp": now + timedelta(minutes=5),
            **(claims or {}),
        }
        return jwt.encode(said, self.key, "ES256")

    def set_up(self, bao: Bao) -> None:
        """Let Vault believe the tokens of this signatory, as the page says but by its key."""
        bao.write("sys/auth/jwt", {"type": "jwt"})
        keys = {"jwt_validation_pubkeys": [self.public], "bound_issuer": self.issuer}
        bao.write("auth/jwt/config", keys)
        (role,) = re.findall(r"<<END\n(.*?)END\n", _PAGE.read_text(), re.DOTALL)
        bao.write("auth/jwt/role/certform", json.loads(role))


@dataclass
class Runner:
    """What GitHub's runner offers a job: tokens for whatever audience it asks for."""

    signatory: Signatory
    given: list[str] = field(default_factory=list)
    claims: dict[str, object] = field(default_factory=dict)

    @cached_property
    def wire(self) -> Wire:
        return Wire(self._answer, lambda _: "token")

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{self.wire.url}/token?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": BEARER,
        }

    def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"bearer {BEARER}":
            return Response(401)
        wanted = request.query.get("audience", "https://github.com/example")
        made = self.signatory.token(wanted, self.claims)
        self.given.append(made)
        return Response(200, json.dumps({"count": 1, "value": made}).encode(), _JSON)


@dataclass
class Cluster:
    """The one thing of a Kubernetes API that Vault asks: whose a token is."""

    tls: Tls
    signatory: Signatory = field(
        default_factory=lambda: Signatory("https://kubernetes.default.svc.cluster.local")
    )
    account: str = "certform"

    @cached_property
    def wire(self) -> Wire:
        return Wire(self._review, lambda request: request.path, self.tls)

    @cached_property
    def token(self) -> str:
        """The token of the pod's service account."""
        account = {"name": self.account, "uid": "0001"}
        subject = f"system:serviceaccount:pki:{self.account}"
        inside = {"namespace": "pki", "serviceaccount": account}
        claims = {"aud": [AUDIENCE], "sub": subject, "kubernetes.io": inside}
        return self.signatory.token(claims=claims)

    def set_up(self, bao: Bao) -> None:
        """Let Vault ask this cluster, as the page says."""
        bao.write("sys/auth/kubernetes", {"type": "kubernetes"})
        host = {"kubernetes_host": self.wire.url, "disable_local_ca_jwt": True}
        ca = {"kubernetes_ca_cert": self.tls.authority.read_text()}
        bao.write("auth/kubernetes/config", {**host, **ca})
        names = {"bound_service_account_names": "certform"}
        bound = {**names, "bound_service_account_namespaces": "pki"}
        bao.write("auth/kubernetes/role/certform", {**bound, **_TOKEN})

    def _review(self, request: Request) -> Response:
        asked = json.loads(request.body)["spec"]
        name = f"system:serviceaccount:pki:{self.account}"
        groups = ["system:serviceaccounts", "system:serviceaccounts:pki", "system:authenticated"]
        user = {"username": name, "uid": "0001", "groups": groups}
        known = asked["token"] == self.token
        status = {"authenticated": known, "user": user, "audiences": asked.get("audiences", [])}
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
        return Response(201, json.dumps(body).encode(), _JSON)
