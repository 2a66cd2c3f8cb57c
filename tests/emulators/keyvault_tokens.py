"""Access tokens for an emulated vault, and the managed identity endpoint of App Service that gives them out.

https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses
"""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

from keyvault_errors import answer, error
from wire import Request, Response, Tls, Wire

RESOURCE = "https://vault.azure.net"
TENANT = "11111111-2222-3333-4444-555555555555"
HEADER = "loopback-identity"
_SIGNED_WITH = b"every emulated vault trusts every emulated identity"
_HOUR = 3600


@dataclass(slots=True)
class Tokens:
    """Gives tokens out and checks them. `refused` holds those that are not taken any more."""

    lifetime: int = 24 * _HOUR
    audience: str = RESOURCE
    given: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    available: bool = True

    def issue(self, resource: str) -> tuple[str, int]:
        """Return a token and when it expires, in seconds since 1970."""
        expires = int(time.time()) + self.lifetime
        claims = {"aud": resource, "exp": expires, "tid": TENANT, "jti": len(self.given)}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode()
        self.given.append(f"{body}.{_mac(body)}")
        return self.given[-1], expires

    def expire(self) -> None:
        """Take none of the tokens given out so far."""
        self.refused.update(self.given)

    def fault(self, authorization: str) -> str | None:
        """Return what is wrong with a request's credentials, None where nothing is."""
        scheme, _, token = authorization.partition(" ")
        body, _, mac = token.partition(".")
        if scheme != "Bearer" or not hmac.compare_digest(mac, _mac(body)):
            return "AKV10022: Invalid audience or signature of the token."
        claims = json.loads(base64.urlsafe_b64decode(body))
        if claims["aud"] != self.audience:
            return f"AKV10022: Invalid audience. Expected {self.audience}, found: {claims['aud']}."
        if token in self.refused or claims["exp"] < time.time():
            return "[TokenExpired] Error validating token: 'S2S12086: The token is expired.'"
        return None

    def challenge(self, message: str) -> Response:
        """Return the answer to a request without valid credentials."""
        authority = f"https://login.microsoftonline.com/{TENANT}"
        header = f'Bearer authorization="{authority}", resource="{self.audience}"'
        return error(401, "Unauthorized", message, headers={"WWW-Authenticate": header})

    def wire(self) -> Wire:
        """Return the identity endpoint, not yet running."""
        return Wire(self._serve, lambda _: "GetToken")

    def _serve(self, request: Request) -> Response:
        if request.headers.get("x-identity-header") != HEADER:
            return answer({"statusCode": 401, "message": "the X-IDENTITY-HEADER is wrong"}, 401)
        if request.query.get("api-version") != "2019-08-01" or not self.available:
            return answer({"statusCode": 400, "message": "no identity for this version"}, 400)
        resource = request.query["resource"]
        token, expires = self.issue(resource)
        body = {"access_token": token, "expires_on": str(expires), "resource": resource}
        return answer({**body, "token_type": "Bearer", "client_id": TENANT})


def environment(identity: Wire, tls: Tls) -> dict[str, str]:
    """Return what a process needs in its environment to have a token, and to trust a vault."""
    return {
        "IDENTITY_ENDPOINT": f"{identity.url}/msi/token",
        "IDENTITY_HEADER": HEADER,
        "REQUESTS_CA_BUNDLE": str(tls.authority),
        "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
    }


def _mac(body: str) -> str:
    return hmac.new(_SIGNED_WITH, body.encode(), hashlib.sha256).hexdigest()
