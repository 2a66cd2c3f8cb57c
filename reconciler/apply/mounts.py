"""Handing certificates over to the Vault that keeps their key: recorded when they were seen there."""

from collections.abc import Iterator, Sequence

from providers.errors import ProviderError
from providers.failpoints import reach
from providers.x509 import to_der
from reconciler.apply.session import Impossible, Outcome, Session
from reconciler.apply.transitions import put_authority
from reconciler.chains import certificates_of, issuers_from
from reconciler.ledger.contract import Wave
from reconciler.published_names import list_key
from schemas.plan import Change


def hand_over(session: Session, changes: Sequence[Change]) -> Iterator[Outcome]:
    """Hand over the certificates of CAs, one after the other."""
    for change in changes:
        session.stay_alive()
        try:
            _hand_over(session, *list_key(change.address)[:2])
        except (Impossible, ProviderError) as why:
            yield Outcome(change, str(why))
        else:
            yield Outcome(change)


def _hand_over(session: Session, name: str, generation: int) -> None:
    issued, state = session.signing(name, generation), session.journal.state
    issuers = issuers_from(state.authorities, issued)
    if not issuers:
        raise Impossible(f"authority/{name} generation {generation} has no complete chain")
    own, *above = map(to_der, certificates_of(issuers))
    session.keeper(name).install(own, above)
    reach("mount.handed")
    seen = issued.model_copy(update={"handed_at": session.clock()})
    record = put_authority(state.authorities[name], seen)
    session.journal.write(
        Wave(message=f"Handed over authority/{name}-g{generation}", authorities=[record])
    )
