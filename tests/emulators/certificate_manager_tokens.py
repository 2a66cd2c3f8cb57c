"""A service account of its own, its token endpoint, and the check of what clients present (RFC 7523)."""

import base64
import json
import secrets
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from certificate_manager_errors import Refusal
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from wire import Request, Response

ACCOUNT = "certform@emulated-project.iam.gserviceaccount.com"
_LIFETIME = 3600


@cache
def _account_key() -> rsa.RSAPrivateKey:
    """Return the key of the account in this process; making one takes a while."""
    return rsa.generate_private_key(65537, 2048)


@dataclass(slots=True)
class Tokens:
    """Knows one service account, by its key and by the tokens it gave out; refuses all when told."""

    key: rsa.RSAPrivateKey = field(default_factory=_account_key, repr=False)
    valid_until: dict[str, float] = field(default_factory=dict)
    refuse_all: bool = False

    def write_credentials(self, file: Path, token_uri: str) -> None:
        """Write the account's JSON key file, as `gcloud iam service-accounts keys create` does."""
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        info = {
            "type": "service_account",
            "project_id": "emulated-project",
            "private_key_id": "1",
            "private_key": pem,
            "client_email": ACCOUNT,
            "client_id": "1",
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        }
        file.touch(mode=0o600)
        file.write_text(json.dumps(info))

    def issue(self, request: Request) -> Response:
        """Answer a request of the token endpoint."""
        assertion = parse_qs(request.body.decode()).get("assertion", [""])[0]
        if self.refuse_all or not self._signed(assertion):
            return Response(400, b'{"error": "invalid_grant", "error_description": "unknown"}')
        token = secrets.token_urlsafe(24)
        self.valid_until[token] = time.time() + _LIFETIME
        answer = {"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}
        return Response(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def check(self, request: Request) -> None:
        """Refuse a request without a valid access token or a JWT that the account signed itself."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        known = self.valid_until.get(token, 0) > time.time() or self._signed(token)
        if self.refuse_all or not known:
            raise Refusal("UNAUTHENTICATED", "Request had invalid authentication credentials.")

    def _signed(self, token: str) -> bool:
        try:
            head, claims, signature = token.split(".")
            self.key.public_key().verify(
                _decoded(signature),
                f"{head}.{claims}".encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
            told = json.loads(_decoded(claims))
        except (ValueError, InvalidSignature):
            return False
        return told["iss"] == ACCOUNT and float(told["exp"]) > time.time()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
