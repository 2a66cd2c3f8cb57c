"""Revocation, by the account and by the certificate's own key."""

import acme_ca_rig
import pytest
from acme_ca_rig import Buyer, Keyring, pem_key
from acme_front import Front
from key_kinds import P256
from pebble import Pebble
from wire import Way

from providers import x509
from providers.errors import Denied, Rejected
from providers.issuing import RevokeRequest
from providers.secret import Secret
from schemas.certificate import Algorithm
from schemas.request import KeyType
from schemas.revocation import RevocationReason

RSA = KeyType(algorithm=Algorithm.RSA, size=2048)


def _request(
    certificate: bytes, reason: RevocationReason, key: Secret | None = None
) -> RevokeRequest:
    return RevokeRequest(certificate, x509.facts(certificate).serial, reason, key)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (RevocationReason.UNSPECIFIED, 0),
        (RevocationReason.KEY_COMPROMISE, 1),
        (RevocationReason.SUPERSEDED, 4),
        (RevocationReason.CESSATION_OF_OPERATION, 5),
    ],
)
def test_the_account_revokes_with_a_reason_and_twice_is_once(
    pebble: Pebble, buyer: Buyer, reason: RevocationReason, code: int
) -> None:
    issuer = acme_ca_rig.issuer(pebble)
    issued = buyer.buy(issuer, "revoked.example.com")
    for _ in range(2):
        issuer.revoke(_request(issued.certificate, reason))
    known = pebble.status(issued.certificate)
    assert known["Status"] == "Revoked"
    assert known["Reason"] == code


@pytest.mark.parametrize("kind", [P256, RSA], ids=str)
def test_the_certificates_own_key_revokes_what_another_account_ordered(
    pebble: Pebble, buyer: Buyer, kind: KeyType
) -> None:
    issued = buyer.buy(acme_ca_rig.issuer(pebble), "stolen.example.com", key=kind)
    stranger = acme_ca_rig.issuer(pebble)
    reason = RevocationReason.KEY_COMPROMISE
    with pytest.raises(Denied):
        stranger.revoke(_request(issued.certificate, reason))
    assert pebble.status(issued.certificate)["Status"] == "Valid"
    stranger.revoke(_request(issued.certificate, reason, buyer.key))
    assert pebble.status(issued.certificate)["Reason"] == 1


def test_the_certificates_own_key_revokes_where_the_account_cannot_log_in(
    pebble: Pebble, buyer: Buyer
) -> None:
    issued = buyer.buy(acme_ca_rig.issuer(pebble), "locked.example.com")
    locked = acme_ca_rig.issuer(pebble, Keyring({"account": b"no key"}))
    reason = RevocationReason.KEY_COMPROMISE
    with pytest.raises(Denied, match="privateKeySecretRef"):
        locked.revoke(_request(issued.certificate, reason))
    locked.revoke(_request(issued.certificate, reason, buyer.key))
    assert pebble.status(issued.certificate)["Reason"] == 1


def test_another_key_revokes_nothing(pebble: Pebble, buyer: Buyer) -> None:
    issued = buyer.buy(acme_ca_rig.issuer(pebble), "kept.example.com")
    other = x509.encode_key(x509.generate_key(P256))
    with pytest.raises(Denied):
        acme_ca_rig.issuer(pebble).revoke(
            _request(issued.certificate, RevocationReason.KEY_COMPROMISE, other)
        )
    assert pebble.status(issued.certificate)["Status"] == "Valid"


def test_a_revocation_whose_answer_is_lost_is_done(front: Front, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(front)
    issuer.sleep = lambda _: None
    issued = buyer.buy(issuer, "lost.example.com")
    front.wire.fail("revokeCert", Way.UNANSWERED)
    issuer.revoke(_request(issued.certificate, RevocationReason.SUPERSEDED))
    assert front.ca.status(issued.certificate)["Status"] == "Revoked"


def test_a_ca_that_does_not_revoke_is_told_of(front: Front, buyer: Buyer) -> None:
    issuer = acme_ca_rig.issuer(front, Keyring({"account": pem_key()}))
    issued = buyer.buy(issuer, "never.example.com")
    front.instead = front.directory(revokeCert=None)
    with pytest.raises(Rejected, match="names no way to revoke"):
        acme_ca_rig.issuer(front).revoke(_request(issued.certificate, RevocationReason.SUPERSEDED))
