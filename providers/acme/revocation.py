"""Revocation (RFC 8555 section 7.6): by the account, or if that is refused by the certificate's own key."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from acme import messages
from cryptography import x509

from providers.acme.accounts import signer_for
from providers.acme.errors import AlreadyRevoked
from providers.acme.network import Network, Signer
from providers.errors import Denied, Rejected
from providers.issuing import RevokeRequest
from providers.x509.keys import decode_key
from schemas.revocation import RevocationReason

_REASONS: Mapping[RevocationReason, int] = {
    RevocationReason.UNSPECIFIED: 0,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.CA_COMPROMISE: 2,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
}
"""RFC 5280 section 5.3.1."""


def revoke(network: Network, account: Callable[[], Signer], request: RevokeRequest) -> None:
    """Revoke a certificate; one that is revoked already is no error. `account` logs in."""
    url = network.directory.revoke_cert
    if url is None:
        raise Rejected("the CA's directory names no way to revoke (RFC 8555 section 7.6)")
    wanted = messages.Revocation(
        certificate=x509.load_der_x509_certificate(request.certificate),
        reason=_REASONS[request.reason],
    )
    with suppress(AlreadyRevoked):
        try:
            network.settle(url, wanted, account())
        except Denied:
            owner = _owner(request)
            if owner is None:
                raise
            network.settle(url, wanted, owner)


def _owner(request: RevokeRequest) -> Signer | None:
    """Return the certificate's own key as a signer, where it is at hand and of a kind that signs here."""
    if request.key is None:
        return None
    try:
        return signer_for(decode_key(request.key))
    except ValueError:
        return None
