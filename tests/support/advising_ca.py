"""A CA of others that says when it wants its certificates renewed, and how long they live."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet import Fleet
from fleet_documents import Leaf

from providers import x509
from providers.issuing import Advice
from providers.memory_issuer import Desk
from reconciler.advising import Advising, Asking, advise, opener
from reconciler.boundary import reached_issuers
from reconciler.diff import World
from reconciler.leads import Share
from schemas.acme import Acme, RenewalInformation
from schemas.issuer import IssuerSpec
from schemas.secrets import SecretReference
from schemas.solvers import Http01, Solver, Standalone

DAY = timedelta(days=1)
PAGE = "https://ca.example/why?incident=1"


def public_ca(
    source: RenewalInformation = RenewalInformation.ARI, server: str = "https://ca.example/dir"
) -> IssuerSpec:
    """An Issuer as documents have it."""
    return IssuerSpec(
        acme=Acme(
            server=server,
            private_key_secret_ref=SecretReference(name="account.sops.yaml", key="key"),
            renewal_information_source=source,
            solvers=(Solver(http01=Http01(standalone=Standalone())),),
        )
    )


@dataclass
class Adviser:
    """What a CA advises of each certificate; `again` is after how long it may be asked once more."""

    clock: Callable[[], datetime]
    again: timedelta = timedelta(hours=6)
    shift: timedelta = timedelta()
    """By how much the windows of all certificates issued before `since` are earlier than usual."""
    since: datetime | None = None
    page: str | None = None
    asked: list[str] = field(default_factory=list)

    def __call__(self, certificate: bytes) -> Advice:
        """Answer as Let's Encrypt does: two days around two thirds of a life."""
        facts = x509.facts(certificate)
        self.asked.append(facts.serial)
        usual = facts.not_before + (facts.not_after - facts.not_before) * 2 / 3
        start = usual - DAY
        if self.since is not None and facts.not_before < self.since:
            start -= self.shift
        return Advice(self.clock() + self.again, start, start + 2 * DAY, self.page)

    def recall(self, page: str | None = PAGE) -> None:
        """Move the windows of all that was issued so far into the past, as before a mass revocation."""
        self.since, self.shift, self.page = self.clock(), timedelta(days=400), page


def advised_fleet(number: int = 1, days: float = 90) -> tuple[Fleet, Adviser, Desk]:
    """So many certificates of a CA that decides how long they live, issued and installed."""
    leaves = {
        f"web{n}": Leaf(issuer="le", names=(f"w{n}.example.com",), days=90, lead=Share())
        for n in range(number)
    }
    fleet = Fleet(leaves=leaves, issuers={"le": public_ca()})
    desk, adviser = fleet.desk("le"), Adviser(fleet.clock)
    desk.life, desk.advice = timedelta(days=days), adviser
    return fleet.converge(), adviser, desk


def asking(fleet: Fleet, world: World | None = None) -> Advising:
    """Ask what is to be asked by now, and return what came of it."""
    looked = world or fleet.world()
    issuers = reached_issuers(looked.desired, looked.base)
    return advise(looked, issuers, Asking(opener(fleet.ask, looked, fleet.session().root)))


def night(fleet: Fleet) -> Advising:
    """Ask, record what was said, and apply, as `certform renew` does."""
    found = asking(fleet)
    if found.wave:
        fleet.journal.write(found.wave)
    fleet.converge()
    return found
