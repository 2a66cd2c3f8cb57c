"""Importing certificates: as new objects, into those that are there, or beside those they supersede."""

from collections.abc import Mapping

from providers.aws.identity import check_identity, check_ours
from providers.aws.labelling import add_tags, check_room
from providers.aws.naming import bearer
from providers.aws.records import Record
from providers.aws.service import Service, settle
from providers.aws.tags import REPLACES
from providers.base import Bundle, Installed, InstallRequest
from providers.errors import Ambiguous, Conflict, Rejected
from providers.failpoints import reach
from providers.pairing import Pair
from providers.seal import CONTENT, Seal

LARGEST_CERTIFICATE = 32_768
LARGEST_CHAIN = 2_097_152
"""Octets of PEM, https://docs.aws.amazon.com/acm/latest/APIReference/API_ImportCertificate.html"""


def install(service: Service, request: InstallRequest, pair: Pair) -> Installed:
    """Import what is asked for unless it is there, and return what is there then."""
    _check_sendable(request.bundle)
    if request.predecessor is None or request.replace:
        return _install_new(service, request, pair)
    return _install_again(service, request, request.predecessor, pair)


def _install_new(service: Service, request: InstallRequest, pair: Pair) -> Installed:
    there = service.named(request.name, pair.serial)
    for record in there:
        if record.sha256 == pair.sha256 and record.owned_by(service.owner):
            return _settled(service, request, record, pair)
    before = request.predecessor
    check_vacant(service, request.name, there, before)
    tags = _tags(request, pair)
    if before is not None:
        old = check_identity(service.read(before.id, whole=True), before, service.owner)
        tags[REPLACES] = old.id
    arn = _import_once(service, request, pair, tags)
    reach("aws.imported")
    return _shown(service, request, arn, pair)


def check_vacant(
    service: Service, name: str, there: list[Record], before: Installed | None
) -> None:
    """Raise `Conflict` where an object goes by the name that is not the one to be superseded."""
    stands = bearer(there, service.owner, name)
    if stands is not None and (before is None or stands.arn != before.id):
        raise Conflict(f"{stands.arn} goes by the name {name} already")


def _import_once(
    service: Service, request: InstallRequest, pair: Pair, tags: Mapping[str, str]
) -> str:
    """Import a new object; one that may be there is looked for, since a second would be one too many."""

    def look() -> Record | None:
        found = service.named(request.name, pair.serial)
        return next((each for each in found if each.sha256 == pair.sha256), None)

    try:
        return service.import_certificate(request.bundle, tags=tags)
    except Ambiguous as lost:
        found = service.awaited(look)
        if found is None:
            raise Ambiguous(
                f"{lost}; whether {request.name} was imported cannot be told yet: ACM does not list it."
                " The next plan finds it, or imports it"
            ) from None
        check_ours(found, service.owner)
        return found.arn


def _install_again(
    service: Service, request: InstallRequest, before: Installed, pair: Pair
) -> Installed:
    there = service.read(before.id, whole=True)
    if there is not None and there.sha256 == pair.sha256 and there.owned_by(service.owner):
        return _settled(service, request, there, pair)
    record = check_identity(there, before, service.owner)
    check_room(record, _tags(request, pair))

    def is_done() -> bool:
        now = service.read(before.id, whole=True)
        if now is not None and now.sha256 == pair.sha256:
            return True
        check_identity(now, before, service.owner)
        return False

    # a repeated import into an ARN is the same import: nothing else holds the key that is sent
    settle(lambda: service.import_certificate(request.bundle, arn=record.arn), is_done)
    reach("aws.imported")
    return _settled(service, request, record, pair)


def _settled(service: Service, request: InstallRequest, record: Record, pair: Pair) -> Installed:
    """Label and seal what is there, and return it."""
    add_tags(service, record, _tags(request, pair))
    reach("aws.labelled")
    return _shown(service, request, record.arn, pair)


def _shown(service: Service, request: InstallRequest, arn: str, pair: Pair) -> Installed:
    """Return the object once ACM shows it with the certificate it was given."""

    def look() -> Record | None:
        record = service.read(arn, whole=True)
        return record if record is not None and record.sha256 == pair.sha256 else None

    record = service.awaited(look)
    if record is None:
        raise Ambiguous(
            f"{arn} was imported, and ACM does not show it yet; the next plan will tell"
        )
    return record.installed(request.name, service.owner)


def _tags(request: InstallRequest, pair: Pair) -> dict[str, str]:
    return {**request.labels, CONTENT: str(Seal.of(pair, pair.serial))}


def _check_sendable(bundle: Bundle) -> None:
    if bundle.private_key is None:
        raise Rejected("ACM takes a certificate only together with its key, which is not at hand")
    if len(bundle.certificate) > LARGEST_CERTIFICATE:
        raise Rejected(f"the certificate is larger than ACM takes, {LARGEST_CERTIFICATE} octets")
    if sum(map(len, bundle.chain)) > LARGEST_CHAIN:
        raise Rejected(f"the chain is larger than ACM takes, {LARGEST_CHAIN} octets")
