"""AWS Private CA on loopback, as `services["acm-pca"]` of an AwsEmulator or by itself on a Wire.

It honours the signing request, the template, the validity and the token as the service does, answers
`RequestInProgressException` for a while, gives ARNs that end in the serial, and refuses what is refused.
"""

import base64
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_errors import Refusal, invalid
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from private_ca_signing import Ca, Line, leaf, make_line
from wire import Request, Response

TOKENS_LAST = timedelta(minutes=5)
_JSON = {"content-type": "application/x-amz-json-1.1"}
_FAMILIES = {"RSA": "WITHRSA", "EC": "WITHECDSA"}
_REASONS = frozenset(
    {
        "UNSPECIFIED",
        "KEY_COMPROMISE",
        "CERTIFICATE_AUTHORITY_COMPROMISE",
        "AFFILIATION_CHANGED",
        "SUPERSEDED",
        "CESSATION_OF_OPERATION",
        "PRIVILEGE_WITHDRAWN",
        "A_A_COMPROMISE",
    }
)


def _now() -> datetime:
    return datetime.now(UTC)


def _unknown(_asked: dict[str, Any]) -> None:
    raise Refusal("UnknownOperationException", "")


@dataclass
class Sold:
    """One certificate; it can be had after `wait` more questions."""

    certificate: x509.Certificate
    wait: int = 0
    revoked: str | None = None


@dataclass
class PrivateCa:
    """Every CA of an account. `slow` is how often a new certificate is not ready when it is asked for."""

    clock: Callable[[], datetime] = _now
    slow: int = 0
    cas: dict[str, Ca] = field(default_factory=dict)
    sold: dict[str, Sold] = field(default_factory=dict)
    tokens: dict[tuple[str, str], tuple[datetime, str, str]] = field(default_factory=dict)

    def create(
        self,
        algorithm: str = "EC_prime256v1",
        line: Line = Line.SUBORDINATE,
        usage_mode: str = "GENERAL_PURPOSE",
        days: int = 3650,
    ) -> str:
        """Make a CA and return its ARN."""
        tail = f"{secrets.token_hex(4)}-{secrets.token_hex(2)}-{secrets.token_hex(2)}"
        tail += f"-{secrets.token_hex(2)}-{secrets.token_hex(6)}"
        arn = f"arn:aws:acm-pca:eu-west-1:123456789012:certificate-authority/{tail}"
        self.cas[arn] = make_line(algorithm, line, usage_mode, self.clock(), days)
        return arn

    def __call__(self, request: Request) -> Response:
        """Answer one request, or say why not as the service does."""
        name = request.headers["x-amz-target"].rpartition(".")[2]
        operations: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
            "DescribeCertificateAuthority": self._describe,
            "IssueCertificate": self._issue,
            "GetCertificate": self._get,
            "RevokeCertificate": self._revoke,
        }
        try:
            answer = operations.get(name, _unknown)(json.loads(request.body))
        except Refusal as refusal:
            return refusal.as_json()
        return Response(200, b"" if answer is None else json.dumps(answer).encode(), _JSON)

    def _describe(self, asked: dict[str, Any]) -> dict[str, Any]:
        arn = asked["CertificateAuthorityArn"]
        ca = self._ca(arn)
        return {
            "CertificateAuthority": {
                "Arn": arn,
                "Type": "ROOT" if ca.line is Line.ROOT else "SUBORDINATE",
                "Status": ca.status,
                "UsageMode": ca.usage_mode,
                "NotBefore": ca.certificate.not_valid_before_utc.timestamp(),
                "NotAfter": ca.certificate.not_valid_after_utc.timestamp(),
                "CertificateAuthorityConfiguration": {
                    "KeyAlgorithm": ca.algorithm,
                    "SigningAlgorithm": ca.signing_algorithm,
                },
            }
        }

    def _ca(self, arn: str) -> Ca:
        if arn not in self.cas:
            raise Refusal("ResourceNotFoundException", "Could not find certificate authority.")
        return self.cas[arn]

    def _issue(self, asked: dict[str, Any]) -> dict[str, Any]:
        arn = asked["CertificateAuthorityArn"]
        ca, now = self._ca(arn), self.clock()
        if ca.status != "ACTIVE":
            raise Refusal("InvalidStateException", f"The certificate authority is {ca.status}.")
        known = self._known(arn, asked, now)
        if known is not None:
            return {"CertificateArn": known}
        end = self._end(ca, asked["Validity"], now)
        if not asked["SigningAlgorithm"].endswith(_FAMILIES[ca.algorithm.partition("_")[0]]):
            raise invalid("The signing algorithm does not match the CA's key.")
        certificate = leaf(ca, self._csr(asked["Csr"]), asked.get("TemplateArn", ""), now, end)
        made = f"{arn}/certificate/{certificate.serial_number}"
        self.sold[made] = Sold(certificate, self.slow)
        if token := asked.get("IdempotencyToken"):
            self.tokens[arn, token] = (now, self._what(asked), made)
        return {"CertificateArn": made}

    def _known(self, arn: str, asked: dict[str, Any], now: datetime) -> str | None:
        """The certificate that the same token was given for, in the last five minutes."""
        token = asked.get("IdempotencyToken", "")
        if len(token) > 36:
            raise invalid("IdempotencyToken has more than 36 characters.")
        at, what, made = self.tokens.get((arn, token), (now, "", ""))
        if not made or now - at > TOKENS_LAST:
            return None
        if what != self._what(asked):
            raise Refusal("InvalidArgsException", "The token was used for another request.")
        return made

    def _what(self, asked: dict[str, Any]) -> str:
        return json.dumps(asked, sort_keys=True)

    def _end(self, ca: Ca, validity: dict[str, Any], now: datetime) -> datetime:
        kind, value = validity["Type"], validity["Value"]
        end = (
            datetime.fromtimestamp(value, UTC)
            if kind == "ABSOLUTE"
            else now + timedelta(days=value)
        )
        if end <= now:
            raise invalid("The validity is in the past.")
        if end > ca.certificate.not_valid_after_utc:
            raise invalid("The certificate would outlive its CA.")
        if ca.usage_mode == "SHORT_LIVED_CERTIFICATE" and end - now > timedelta(days=7):
            raise invalid("The validity exceeds 7 days, the most of a short-lived certificate CA.")
        return end

    def _csr(self, encoded: str) -> x509.CertificateSigningRequest:
        try:
            csr = x509.load_pem_x509_csr(base64.b64decode(encoded))
            sound = csr.is_signature_valid
        except ValueError:
            sound = False
        if not sound:
            raise Refusal("MalformedCSRException", "The CSR is malformed.")
        return csr

    def _get(self, asked: dict[str, Any]) -> dict[str, Any]:
        ca, sold = (
            self._ca(asked["CertificateAuthorityArn"]),
            self.sold.get(asked["CertificateArn"]),
        )
        if sold is None:
            raise Refusal("ResourceNotFoundException", "Could not find certificate.")
        if sold.wait:
            sold.wait -= 1
            raise Refusal("RequestInProgressException", "The request is still being processed.")
        chain = "".join(c.public_bytes(Encoding.PEM).decode() for c in ca.chain)
        return {
            "Certificate": sold.certificate.public_bytes(Encoding.PEM).decode(),
            "CertificateChain": chain,
        }

    def _revoke(self, asked: dict[str, Any]) -> None:
        arn = asked["CertificateAuthorityArn"]
        self._ca(arn)
        serial, reason = asked["CertificateSerial"], asked["RevocationReason"]
        if ":" not in serial or reason not in _REASONS:
            raise invalid("The serial must be hexadecimal with colons, the reason one there is.")
        made = f"{arn}/certificate/{int(serial.replace(':', ''), 16)}"
        if made not in self.sold:
            raise Refusal("ResourceNotFoundException", "Could not find certificate.")
        if self.sold[made].revoked:
            raise Refusal("RequestAlreadyProcessedException", "It has already been revoked.")
        self.sold[made].revoked = reason
