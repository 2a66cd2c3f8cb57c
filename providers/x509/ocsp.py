"""OCSP responses signed ahead (RFC 6960), each for the one request that RFC 5019 has for a serial.

Whoever asks by GET puts the request's base64 into the path, so the responses are files under that path.
A slash of the base64 makes folders there; where there are several in a row servers see one.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from providers.processes import spread
from providers.signer import signature_hash
from providers.x509.crl import CrlEntry
from providers.x509.issuer import IssuingAuthority
from providers.x509.responder import Responder
from schemas.revocation import RevocationReason

INDEX = "index.ocsp"
"""The name of a file whose path would end in a slash; a dot is in no base64."""

Status = CrlEntry | None
"""What a response says of a serial: when and why it was revoked; None for a good one."""
_SHA1 = hashes.SHA1()  # noqa: S303  what RFC 5019 section 2.1.1 has for naming an issuer
_BY_KEY = ocsp.OCSPResponderEncoding.HASH


@dataclass(frozen=True, slots=True)
class Told:
    """What some responses tell of: their serials, and those of them that are revoked."""

    serials: frozenset[str]
    revoked: frozenset[str]


@dataclass(frozen=True, slots=True)
class Freshness:
    """From when to when a response is to be believed (RFC 6960 section 2.4)."""

    this_update: datetime
    next_update: datetime


def sign_responses(
    statuses: Mapping[str, Status],
    issuer: IssuingAuthority,
    responder: Responder,
    freshness: Freshness,
) -> dict[str, bytes]:
    """Return the response (DER) of each serial, by the path where it lies below the responder's URL.

    Many are signed by several processes. The signatures of ECDSA are not the same each time:
    cryptography has no other for OCSP, and no two runs have one key.
    """
    certificate = x509.load_der_x509_certificate(responder.certificate)
    begun = (
        ocsp.OCSPResponseBuilder().responder_id(_BY_KEY, certificate).certificates([certificate])
    )
    algorithm = signature_hash(responder.signer.public_key())
    names, key = _names(issuer), responder.signer.private_key()

    def sign(part: Sequence[tuple[str, Status]]) -> list[tuple[str, bytes]]:
        return [
            (
                request_path(_request(names, serial)),
                _with(begun, names, serial, status, freshness)
                .sign(key, algorithm)
                .public_bytes(Encoding.DER),
            )
            for serial, status in part
        ]

    return dict(spread(sign, sorted(statuses.items())))


def _with(
    begun: ocsp.OCSPResponseBuilder,
    names: tuple[bytes, bytes],
    serial: str,
    status: Status,
    freshness: Freshness,
) -> ocsp.OCSPResponseBuilder:
    return begun.add_response_by_hash(
        *names,
        int(serial, 16),
        _SHA1,
        ocsp.OCSPCertStatus.REVOKED if status else ocsp.OCSPCertStatus.GOOD,
        freshness.this_update,
        freshness.next_update,
        status.at if status else None,
        _reason(status),
    )


def _reason(status: Status) -> x509.ReasonFlags | None:
    """Return the reason, left out where there is none to tell, as in a CRL."""
    if status is None or status.reason is RevocationReason.UNSPECIFIED:
        return None
    return x509.ReasonFlags(status.reason)


def _names(issuer: IssuingAuthority) -> tuple[bytes, bytes]:
    """Return SHA-1 over the issuer's name, and over its key (RFC 6960 section 4.1.1)."""
    name = hashlib.sha1(issuer.subject.public_bytes(), usedforsecurity=False).digest()
    return name, x509.SubjectKeyIdentifier.from_public_key(issuer.public_key).digest


def _request(names: tuple[bytes, bytes], serial: str) -> bytes:
    request = ocsp.OCSPRequestBuilder().add_certificate_by_hash(*names, int(serial, 16), _SHA1)
    return request.build().public_bytes(Encoding.DER)


def request_for(issuer: IssuingAuthority, serial: str) -> bytes:
    """Return the one request (DER) for a serial (RFC 5019 section 2.1.1): SHA-1, no extension, no nonce."""
    return _request(_names(issuer), serial)


def request_path(request: bytes) -> str:
    """Return where the response to a request (DER) lies, as a server sees the path of its GET."""
    return served_path(b64encode(request).decode())


def served_path(text: str) -> str:
    """Return the file that a path stands for, once it is decoded: base64 with whatever slashes are in it."""
    path = "/".join(filter(None, text.split("/")))
    return f"{path}/{INDEX}" if text.endswith("/") else path


def plain_request(request: bytes) -> bytes:
    """Return a request (DER) as RFC 5019 has it, a nonce and other extensions left out.

    Raises ValueError when it is malformed, asks for several serials, or names the issuer by another hash.
    """
    try:
        asked = ocsp.load_der_ocsp_request(request)
        if not isinstance(asked.hash_algorithm, hashes.SHA1):
            raise ValueError("the issuer is not named by SHA-1")  # noqa: TRY004 - a value, not a type
        names = asked.issuer_name_hash, asked.issuer_key_hash
        return _request(names, f"{asked.serial_number:x}")
    except (NotImplementedError, UnsupportedAlgorithm, OverflowError) as error:
        raise ValueError(str(error)) from None


def unauthorized() -> bytes:
    """Return the answer to who asks for what there is no response for (RFC 5019 section 2.2.3)."""
    return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)


def malformed() -> bytes:
    """Return the answer to what is no request (RFC 6960 section 2.3)."""
    return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def read_responses(responses: Iterable[bytes]) -> Told:
    """Return what responses (DER) tell of, signatures not looked at; one that is none tells nothing."""
    serials, revoked = set(), set()
    for content in responses:
        try:
            response = ocsp.load_der_ocsp_response(content)
            serial = f"{response.serial_number:x}"
            status = response.certificate_status
        except ValueError:
            continue
        serials.add(serial)
        if status is ocsp.OCSPCertStatus.REVOKED:
            revoked.add(serial)
    return Told(frozenset(serials), frozenset(revoked))


def freshness_of(response: bytes) -> Freshness:
    """Return from when to when a response (DER) is to be believed; raises ValueError when it does not say."""
    found = ocsp.load_der_ocsp_response(response)
    if found.next_update_utc is None:
        raise ValueError("the response has no nextUpdate")
    return Freshness(found.this_update_utc, found.next_update_utc)
