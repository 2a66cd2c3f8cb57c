"""A fleet with an offline root, and the table at which its ceremonies are held, all in memory."""

from dataclasses import dataclass, field

from fleet import Fleet
from fleet_documents import Ca, Leaf

from providers import x509
from providers.signer import KeySigner
from reconciler.ceremony.acceptance import Acceptance, take_in
from reconciler.ceremony.papers import Answer, Request
from reconciler.ceremony.reservations import export
from reconciler.ceremony.signing import assigned, begun, keyless, sign
from schemas.custody import Kept


def offline_fleet(**cas: Ca) -> Fleet:
    """An offline root, an intermediate with a standby below it, and a leaf."""
    found = {"root": Ca(custody=Kept.OFFLINE), "mid": Ca("root", days=1500, standby=True)}
    return Fleet(cas={**found, **cas}, leaves={"web": Leaf("mid")})


@dataclass
class Table:
    """Who sits there has the keys; what is carried there and back is text."""

    fleet: Fleet
    keys: list[KeySigner] = field(default_factory=list)

    def export(self) -> Request:
        return export(self.fleet.session())

    def sign(self, paper: Request | Answer, *, without: int = 0) -> Answer:
        """Sign with every key there is, making those that are wanting, but for the last ones."""
        signed = begun(paper)
        wanting = list(keyless(signed).values())
        made = [KeySigner(x509.generate_key(kind)) for kind in wanting[: len(wanting) - without]]
        old = [key for key in self.keys if _is_asked(paper, key)]
        done = sign(signed, assigned(signed, (*old, *made)))
        self.keys += made
        return done.answer()

    def take_in(self, answer: Answer) -> Acceptance:
        return take_in(self.fleet.session(), answer)

    def hold(self) -> Acceptance:
        """Hold a whole ceremony."""
        return self.take_in(self.sign(self.export()))


def _is_asked(paper: Request | Answer, key: KeySigner) -> bool:
    spki = x509.spki(key.public_key())
    chains = begun(paper).chains.values()
    return any(x509.facts(chain[0]).spki == spki for chain in chains)
