"""What the nightly run works with: leaves and CAs as last issued, so that no open edit stops a renewal."""

from dataclasses import replace

from reconciler.ledger.records import CertificateRecord, Issuance, LedgerState, Status
from reconciler.schedule import late_time, latest_renewal
from reconciler.state import (
    Desired,
    DesiredAuthority,
    DesiredCertificate,
    DesiredRevocation,
)
from schemas.certificate import Rollout
from schemas.request import AuthorityRequest, LeafRequest


def pin(desired: Desired, ledger: LedgerState, base: Desired | None = None) -> Desired:
    """Return the documents with the request of each issued certificate as the ledger has it, of CAs too.

    `base` are those applied last: what they ask for with `rollout: onRenewal` is not held back any more, and
    what they do not give up of a CA is not given up yet.
    """
    certificates = {
        name: certificate
        if _waits_for_this(certificate, base)
        else _pinned(certificate, desired, ledger)
        for name, certificate in desired.certificates.items()
    }
    authorities = {n: _as_issued(ca, desired, ledger) for n, ca in desired.authorities.items()}
    revocations = tuple(each for each in desired.revocations if _is_known(each, base))
    return replace(
        desired, certificates=certificates, authorities=authorities, revocations=revocations
    )


def _is_known(revocation: DesiredRevocation, base: Desired | None) -> bool:
    """Whether a document gives up no CA, or did so when documents were applied last."""
    if base is None or revocation.authority is None:
        return True
    given_up = {(each.authority, each.generation) for each in base.revocations}
    return (revocation.authority, revocation.generation) in given_up


def _as_issued(
    authority: DesiredAuthority, desired: Desired, ledger: LedgerState
) -> DesiredAuthority:
    """Return a CA as its newest generation is that has a certificate: no edit of it is waited for.

    What is reserved for the generation that is wanted was reviewed, and is finished.
    """
    record = ledger.authorities.get(authority.name)
    number = authority.request.generation
    if record is None or record.pending(number) is not None:
        return authority
    crossed = authority.crossed and record.crossed(number) is not None
    issued = next(record.before(number + 1), None)
    if issued is None or not isinstance(issued.request, AuthorityRequest):
        return authority
    if issued.status is not Status.ISSUED or issued.request == authority.request:
        return replace(authority, crossed=crossed)
    if issued.request.issuer_id is not None and not _is_there(issued.request, desired):
        return authority
    return replace(authority, request=issued.request, digest=issued.digest, crossed=crossed)


def _waits_for_this(certificate: DesiredCertificate, base: Desired | None) -> bool:
    """Whether an edit was applied already, and was to take effect when the certificate is renewed."""
    before = base.certificates.get(certificate.name) if base else None
    same = before is not None and before.digest == certificate.digest
    return same and certificate.rollout is Rollout.ON_RENEWAL


def _pinned(
    certificate: DesiredCertificate, desired: Desired, ledger: LedgerState
) -> DesiredCertificate:
    record = ledger.certificates.get(certificate.name)
    current = record.current if record else None
    if current is None or current.status is not Status.ISSUED:
        return certificate
    request = current.request
    if current.digest == certificate.digest or not isinstance(request, LeafRequest):
        return certificate
    if record is not None and _only_waits(certificate, record, current):
        return certificate
    if desired.hosting(certificate) or not _can_issue(request, desired, ledger):
        return certificate
    return replace(certificate, request=request, digest=current.digest)


def _only_waits(
    certificate: DesiredCertificate, record: CertificateRecord, current: Issuance
) -> bool:
    """Whether what is wanted was reviewed and reserved, and nothing speaks against it so far.

    A CA that does not answer does so once it is late: then the certificate is renewed as it was.
    """
    pending, failed = record.pending, record.attempts
    if pending is None or pending.digest != certificate.digest:
        return False
    if failed is None or failed.digest != certificate.digest:
        return True
    due = latest_renewal(current, certificate.renew_before)
    return bool(failed.silent) and failed.last_at < late_time(due, current.not_after)


def _can_issue(request: LeafRequest, desired: Desired, ledger: LedgerState) -> bool:
    """Whether who issued a certificate can do so again."""
    if request.issuer_id is not None:
        return _is_there(request, desired)
    issuer = ledger.authorities.get(request.issuer)
    signing = issuer.generation(request.issuer_generation) if issuer else None
    return signing is not None and signing.status is Status.ISSUED


def _is_there(request: LeafRequest | AuthorityRequest, desired: Desired) -> bool:
    """Whether an Issuer still names the CA of others that signed what was asked for."""
    theirs = desired.issuers.get(str(request.issuer))
    if theirs is None:
        return False
    if isinstance(request, AuthorityRequest):
        return theirs.spec.authority_identity == request.issuer_id
    return theirs.spec.identity == request.issuer_id
