"""Asking places for what they issue by themselves: recorded before, and with its identity afterwards."""

from collections.abc import Iterator, Sequence

from providers.abilities import Host, HostRequest
from providers.base import Installed
from providers.errors import ProviderError
from providers.failpoints import reach
from reconciler.apply.session import Impossible, Outcome, Session, named, owner, place
from reconciler.apply.transitions import hosted, placed
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import CertificateRecord
from schemas.plan import Change


def host(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Ask each place, one durable step before and one after."""
    _place(session, changes)
    reach("hosting.placed")
    asked: list[tuple[Change, Installed]] = []
    for change in changes:
        session.stay_alive()
        try:
            asked.append((change, _ask(session, change)))
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
        reach("hosting.asked")
    _record(session, asked)
    yield from (Outcome(change) for change, _ in asked)


def _place(session: Session, changes: Sequence[Change]) -> None:
    """Make it durable that these certificates are about to be there."""
    widened: dict[str, CertificateRecord] = {}
    for change in changes:
        desired, record = session.desired(change), session.record(owner(change))
        if not record.issuances and not record.placements:
            record = record.model_copy(update={"on_remove": desired.on_remove})
        wanted = session.wanted(change)
        wider = placed(record, wanted.target, wanted.name)
        if wider != session.record(record.name):
            widened[record.name] = wider
    if widened:
        session.journal.write(
            Wave(message=f"Place {named(changes)}", certificates=tuple(widened.values()))
        )


def _ask(session: Session, change: Change) -> Installed:
    """Ask for a certificate; what a run that died asked for is only looked at."""
    desired, wanted = session.desired(change), session.wanted(change)
    found = session.world.installed(wanted)
    if found is not None and (change.after or {}).get("recorded") is False:
        return found
    after = change.after or {}
    target, issuer = session.targets[place(change)], session.world.desired.hosting(desired)
    if not isinstance(target, Host) or issuer is None:
        raise Impossible("this target issues no certificates by itself")
    return target.host(
        HostRequest(
            name=wanted.name,
            request=desired.request,
            labels=session.world.labels(desired, desired.digest, wanted.target),
            settings=issuer.spec.settings,
            predecessor=found,
            replace="replaces" in after or "anew" in after,
        )
    )


def _record(session: Session, asked: Sequence[tuple[Change, Installed]]) -> None:
    """Make durable which objects they are: by that alone they may be removed one day."""
    records: dict[str, CertificateRecord] = {}
    for change, installed in asked:
        name, wanted = owner(change), session.wanted(change)
        record = records.get(name) or session.record(name)
        records[name] = hosted(record, wanted.target, wanted.name, installed, session.clock())
    if records:
        changes = [change for change, _ in asked]
        session.journal.write(
            Wave(message=f"Host {named(changes)}", certificates=tuple(records.values()))
        )
