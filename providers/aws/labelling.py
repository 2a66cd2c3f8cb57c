"""Changes of tags alone: relabelling, forgetting and adopting."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from providers.abilities import AdoptRequest, RelabelRequest
from providers.aws.identity import check_identity, check_ours
from providers.aws.records import IMPORTED, Record
from providers.aws.service import Service, settle
from providers.aws.tags import MOST, REPLACES, labels_of
from providers.base import NAME, OWNER, Installed
from providers.errors import Ambiguous, Conflict, NotFound, QuotaExceeded
from providers.failpoints import reach
from providers.seal import CONTENT, Seal


def relabel(service: Service, request: RelabelRequest) -> Installed:
    """Set the labels that differ; what was observed and is left out goes, what came since stays."""
    observed = request.installed
    record = check_identity(service.read(observed.id, whole=False), observed, service.owner)
    tags = set_labels(
        service, record, request.labels, observed.labels.keys() - request.labels.keys()
    )
    return _with_labels(observed, tags)


def set_labels(
    service: Service,
    record: Record,
    labels: Mapping[str, str],
    unwanted: Iterable[str] = (),
) -> dict[str, str]:
    """Set labels and take others off, but for AWS's own; return all tags that are there then."""
    off = {key for key in unwanted if not key.startswith("aws:")}
    if OWNER in off:
        off |= {CONTENT, REPLACES}
    gone = {key: record.tags[key] for key in off & record.tags.keys()}
    add_tags(service, record, labels)
    if gone:
        settle(
            lambda: service.remove_tags(record.arn, gone),
            lambda: not gone.keys() & _tags(service, record.arn).keys(),
        )
    reach("aws.labelled")
    return {key: value for key, value in {**record.tags, **labels}.items() if key not in gone}


def check_room(record: Record, tags: Mapping[str, str]) -> None:
    """Raise `QuotaExceeded` where an object would have too many tags; those of AWS's own do not count."""
    after = [key for key in {**record.tags, **tags} if not key.startswith("aws:")]
    if len(after) > MOST:
        raise QuotaExceeded(
            f"{record.arn} would have {len(after)} tags, ACM takes {MOST} tags: take some of the others off"
        )


def add_tags(service: Service, record: Record, tags: Mapping[str, str]) -> None:
    """Set those tags that differ from what is there."""
    changed = {key: value for key, value in tags.items() if record.tags.get(key) != value}
    settle(
        lambda: service.add_tags(record.arn, changed),
        lambda: changed.items() <= _tags(service, record.arn).items(),
    )


def adopt(service: Service, request: AdoptRequest) -> Installed:
    """Label an object that somebody else made, and seal what it is; the certificate stays as it is."""
    record = service.read(request.id, whole=True)
    if record is None:
        raise NotFound(f"there is no certificate {request.id}, or it is in another region")
    if record.tags.get(OWNER, service.owner) != service.owner:
        raise Conflict(
            f"{record.arn} carries the label of another owner; it has to give it up first"
        )
    if record.owned_by(service.owner) and record.label != request.name:
        raise Conflict(f"{record.arn} is {record.label} already")
    request.check(record.serial, record.sha256)
    add_tags(service, record, {**request.labels, **_seal(record)})
    reach("aws.adopted")
    adopted = service.read(record.arn, whole=True)
    if adopted is None:
        raise Ambiguous(f"{record.arn} cannot be seen any more; the next plan will tell")
    check_ours(adopted, service.owner)
    return adopted.installed(request.name, service.owner)


def _seal(record: Record) -> dict[str, str]:
    """What chain and anchors should be there nobody has said, so nothing is sealed of them."""
    if record.type != IMPORTED or record.serial is None or record.sha256 is None:
        return {}
    return {CONTENT: str(Seal(record.serial, record.serial, record.sha256, ""))}


def _tags(service: Service, arn: str) -> Mapping[str, str]:
    record = service.read(arn, whole=False)
    return record.tags if record else {}


def _with_labels(observed: Installed, tags: Mapping[str, str]) -> Installed:
    labels = labels_of(tags)
    same = labels.get(NAME) == observed.labels.get(NAME)
    name = observed.name if same else labels.get(NAME, observed.id)
    return replace(observed, name=name, labels=labels)
