"""Everything in ACM, for as many calls as there are pages, and one for each object of ours that changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from providers.aws.errors import NoSuchOperation
from providers.aws.naming import beside, names
from providers.aws.records import Record, record_of_result, record_of_summary
from providers.aws.service import Service
from providers.aws.tags import REPLACES
from providers.base import NAME, OWNER, Installed
from providers.errors import Denied, NotFound


def observe(service: Service) -> tuple[Installed, ...]:
    """Return every certificate, ours and others', ordered by ARN; raises whatever a call fails with."""
    listed = _listed(service)
    tagged = service.tagged()  # after: what was made meanwhile is not shown as nobody's
    records = sorted(_all(service, listed, tagged), key=lambda each: each.arn)
    named = names(records, service.owner)
    return tuple(each.installed(named.get(each.arn, each.arn), service.owner) for each in records)


def name_of(service: Service, record: Record) -> str:
    """Return the name of one object, as if all were listed."""
    if not record.owned_by(service.owner):
        return record.arn
    alike = service.tagged({OWNER: service.owner, NAME: record.label}).values()
    return beside(record) if record.id in {each.get(REPLACES) for each in alike} else record.label


def _all(
    service: Service, listed: Iterable[Record], tagged: Mapping[str, Mapping[str, str]]
) -> Iterator[Record]:
    once = {each.arn: each for each in listed}  # pages may overlap when something is made meanwhile
    for found in once.values():
        record = replace(found, tags=tagged.get(found.arn, {}))
        if record.owned_by(service.owner):
            completed = _completed(service, record)
            if completed is not None:
                yield completed
        else:
            yield record


def _listed(service: Service) -> list[Record]:
    try:
        return [record_of_result(each) for each in service.search()]
    except (NoSuchOperation, Denied):
        # older endpoints and older policies do not have it
        return [record_of_summary(each) for each in service.listed()]


def _completed(service: Service, record: Record) -> Record | None:
    """Return an object of ours with what no listing tells of it; None where it went meanwhile."""
    try:
        if record.serial is None and record.waits is False:
            record = _described(service, record)
        if record.waits:
            record = record.told_by(_described(service, record))
        return service.opened(record) if record.seal_is_broken else record
    except NotFound:
        return None


def _described(service: Service, record: Record) -> Record:
    described = service.describe(record.arn)
    if described is None:
        raise NotFound(record.arn)
    return replace(described, tags=record.tags)
