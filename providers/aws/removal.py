"""Deleting certificates from ACM, which keeps those that something uses."""

from providers.aws.identity import check_identity
from providers.aws.service import Service, settle
from providers.base import Installed
from providers.errors import InUse, NotFound
from providers.failpoints import reach


def remove(service: Service, installed: Installed) -> None:
    """Delete an object of ours; raises `Conflict` for another than was observed, `InUse`."""
    record = service.read(installed.id, whole=False)
    if record is None:
        return
    check_identity(record, installed, service.owner)
    reach("aws.removing")

    def is_done() -> bool:
        now = service.read(record.arn, whole=False)
        if now is not None:
            check_identity(now, installed, service.owner)
        return now is None

    try:
        settle(lambda: service.delete(record.arn), is_done)
    except NotFound:
        return
    except InUse:
        users = _users(service, record.arn)
        raise InUse(
            f"{record.arn} is in use by {users}: give that another certificate first"
        ) from None


def _users(service: Service, arn: str) -> str:
    record = service.describe(arn)
    return ", ".join(record.used_by if record else ()) or "something that ACM does not name"
