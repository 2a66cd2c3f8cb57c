"""What a plan costs at CAs of others, in words."""

from collections.abc import Iterator
from datetime import timedelta

from reconciler.render.escape import visible
from reconciler.render.summary import count
from schemas.plan import IssuerReport, QuotaUse
from schemas.scalars import format_duration


def spending(report: IssuerReport) -> Iterator[str]:
    """Yield in words what becomes of the orders at one CA, and what is used of its quotas."""
    if report.waits and report.now:
        orders = count(report.orders, "order")
        yield f"{orders}: {report.now:,} now, {report.waits:,} {_wait(report)}"
    elif report.waits:
        yield f"{count(report.orders, 'order')} {_wait(report)}"
    elif report.orders:
        yield count(report.orders, "order")
    yield from map(_used, report.quotas)


def _wait(report: IssuerReport) -> str:
    verb = "waits" if report.waits == 1 else "wait"
    if report.done_by is None:
        return verb
    last = "" if report.waits == 1 else ", the last"
    return f"{verb}{last} until {report.done_by:%Y-%m-%d %H:%M} UTC at the earliest"


def _used(use: QuotaUse) -> str:
    window = format_duration(timedelta(seconds=use.window))
    free = f", room again at {use.free_at:%Y-%m-%d %H:%M} UTC" if use.free_at else ""
    return f"{use.used:,} of {use.most:,}{_counted(use)} in {window} used{free}"


def _counted(use: QuotaUse) -> str:
    """Say what a quota counts; nothing where it is all orders."""
    of = visible(use.of or "")
    match use.quota:
        case "certificates":
            return f" certificates of {of}"
        case "same_names":
            return f" certificates for the names of {of}"
        case "failures":
            return f" failures of {of}"
    return ""
