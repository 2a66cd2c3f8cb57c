"""Everything in ACM, for as many calls as there are pages, and one for each object of ours that changed."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from providers.aws.naming import names
from providers.aws.records import Record, record_of_result, record_of_summary
from providers.aws.service import Service
from providers.base import Installed
from providers.errors import Denied, NotFound


def observe(service: Service) -> tuple[Installed, ...]:
    """Return every certificate, ours and others', ordered by ARN; raises whatever a call fails with."""
    tagged = service.tagged()
    records = sorted(_all(service, tagged), key=lambda each: each.arn)
    named = names(records, service.owner)
    return tuple(each.installed(named.get(each.arn, each.arn), service.owner) for each in records)


def _all(service: Service, tagged: Mapping[str, Mapping[str, str]]) -> Iterator[Record]:
    for listed in _listed(service):
        record = replace(listed, tags=tagged.get(listed.arn, {}))
        if record.owned_by(service.owner):
            completed = _completed(service, record)
            if completed is not None:
                yield completed
        else:
            yield record


def _listed(service: Service) -> list[Record]:
    try:
        return [record_of_result(each) for each in service.search()]
    except (NotFound, Denied):
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
