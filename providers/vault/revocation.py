"""Revoking at a mount, believed when the mount says so and, where it has a list at once, its list does."""

from datetime import datetime

from cryptography.x509 import CertificateRevocationList

from providers import x509
from providers.errors import Conflict
from providers.issuing import RevokeRequest
from providers.vault.mount import Mount, colons


def revoke(mount: Mount, request: RevokeRequest, now: datetime) -> None:
    """Revoke a certificate, and see that it is; raises `Conflict` where it is not.

    It is sent whole, since a mount may not keep what it signs. One that has expired is on no list.
    """
    pem = x509.pem(request.certificate).decode()
    mount.session.write(f"{mount.path}/revoke", {"certificate": pem}, repeatable=True)
    if x509.facts(request.certificate).not_after > now:
        _check(mount, request)


def _check(mount: Mount, request: RevokeRequest) -> None:
    named = f"{colons(request.serial)} at {mount.session.connection.server}/{mount.path}"
    kept = mount.certificate(colons(request.serial))
    if kept is None or not kept.is_revoked:
        raise Conflict(f"it was to be revoked, and is not: {named}")
    listed = mount.crl(request.certificate)
    if listed is not None and not _is_listed(listed, request.serial):
        raise Conflict(
            f"it is revoked, and the CRL that is made at once does not say so: {named}, CRL of"
            f" {listed.last_update_utc:%Y-%m-%d %H:%M:%S}Z with {len(listed)} entries"
        )


def _is_listed(crl: CertificateRevocationList, serial: str) -> bool:
    return crl.get_revoked_certificate_by_serial_number(int(serial, 16)) is not None
