"""A CA of ours in the place of one of others: what it is to sign is reserved by its token, then signed.

Nothing that was signed is kept: the same reservation gives the same bytes each time. What is revoked
is in a CRL, as ours is.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from providers import x509
from providers.errors import NotFound
from providers.issuing import Issued, IssueRequest, RevokeRequest
from providers.signer import KeySigner
from providers.specimens import Specimens
from providers.x509.signing_request import requested_key
from schemas.issuer import REQUEST_FIELDS


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass
class OwnIssuer:
    """A CA with a key at hand. `reserved` holds what is to be signed, by token; `crl` the last one signed."""

    honours: ClassVar[frozenset[str]] = REQUEST_FIELDS

    ca: Specimens
    clock: Callable[[], datetime] = _now
    reserved: dict[str, x509.ToBeSigned] = field(default_factory=dict)
    revoked: dict[str, x509.CrlEntry] = field(default_factory=dict)
    crl: bytes = b""

    def issue(self, request: IssueRequest, /) -> Issued:
        token = request.resume or request.token
        if request.resume is None:
            self.reserved.setdefault(token, self._reservation(request))
        elif token not in self.reserved:
            raise NotFound(f"there is no reservation {token}")
        request.checkpoint(token)
        signed = x509.sign(self.reserved[token], self._authority, KeySigner(self.ca.key))
        return Issued(signed, (self.ca.intermediate,), (self.ca.root,))

    def revoke(self, request: RevokeRequest, /) -> None:
        now = self.clock().replace(microsecond=0)
        self.revoked.setdefault(request.serial, x509.CrlEntry(now, request.reason))
        number = x509.read_crl(self.crl).number + 1 if self.crl else 1
        listed = x509.Crl(number, now, now + timedelta(days=7), dict(self.revoked))
        self.crl = x509.sign_crl(listed, self._authority, KeySigner(self.ca.key))

    @property
    def _authority(self) -> x509.IssuingAuthority:
        return x509.IssuingAuthority.load(self.ca.intermediate, (self.ca.root,))

    @staticmethod
    def _reservation(request: IssueRequest) -> x509.ToBeSigned:
        return x509.ToBeSigned(
            request.request,
            x509.new_serial(),
            request.not_before,
            request.not_after,
            requested_key(request.csr)[1],
        )
