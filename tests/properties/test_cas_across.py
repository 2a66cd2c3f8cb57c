"""CAs below others and in Vault: whatever is edited, revoked or cut short, what is installed is believed."""

from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest
from fleet import Fleet
from fleet_documents import START, Ca, Leaf
from memory_ledger import Crash

from providers import x509
from providers.base import Bundle
from providers.issuing import Issuer, IssuerConfig
from providers.memory_issuer import MemoryIssuer
from providers.memory_keeper import Safe
from providers.pairing import Pairing
from providers.signer import PrivateKey
from providers.specimens import P256, Specimens
from providers.x509 import to_der
from reconciler.ledger.records import Status
from schemas.custody import MountedKey
from schemas.issuer import IssuerSpec
from schemas.vault import Vault, VaultConnection

SERVER = "https://vault.example.com:8200"
MOUNT = MountedKey(vault=VaultConnection(server=SERVER, path="sub"))
STEPS = 9


class Across(Fleet):
    """A root, a CA below it or below others, and one in Vault, each with a leaf."""

    def ask(self, config: IssuerConfig) -> Issuer:
        desk = self.desk(config.name)
        if config.name == "inside":
            own, *_, root = self.safes["sub"].installed[-1]
            desk.ca = Specimens(root, own, self._key(x509.facts(own).spki))
        elif x509.facts(desk.ca.root).not_after < self.now.replace(year=self.now.year + 1):
            desk.ca = Specimens.make(self.now)
        return MemoryIssuer(desk)

    def _key(self, spki: bytes) -> PrivateKey:
        keys = self.safes["sub"].keys.values()
        return next(key for key in keys if x509.spki(key.public_key()) == spki)

    def edit_something(self, random: Random) -> None:
        """Change a document, the time, or the luck of the next run."""
        match random.randrange(6):
            case 0:
                parent = random.choice(("root", "company"))
                self.cas["services"] = replace(self.cas["services"], parent=parent)
            case 1 | 2:
                name = random.choice(("services", "deputy"))
                number = self.cas[name].generation + 1
                self.cas[name] = replace(self.cas[name], generation=number)
            case 3:
                name = random.choice(("services", "deputy"))
                self.compromise(name, self.desired().authorities[name].request.generation)
            case 4:
                self.wait(random.randrange(1, 40))
            case _:
                self.journal.crash_at = random.randrange(1, 9)
                self.journal.crash_after = random.random() < 0.5

    def settle(self) -> None:
        """Apply once, perhaps cut short, and then until nothing is left to do."""
        self.wait(0.01)
        with suppress(Crash):
            self.apply()
        self.journal.crash_at = None
        self.wait(0.01).apply()
        self.converge()

    def check(self) -> None:
        """See that all that is installed is believed, and that Vault has what the ledger says."""
        for name in self.leaves:
            bundle, current = self.store("a").objects[name].bundle, self.current(name)
            assert bundle is not None
            assert bundle.chain
            Pairing().check(Bundle(bundle.certificate, bundle.chain, bundle.anchors, None))
            assert current.not_after > self.now
            above = [to_der(pem) for pem in (*bundle.chain, *bundle.anchors)]
            assert not self._revoked() & {x509.facts(der).sha256 for der in above}
        wanted = self.desired().authorities["deputy"].request.generation
        newest = self.signed_under("deputy", wanted)
        assert newest.handed_at is not None
        assert self.safes["sub"].installed[-1][0] == to_der(str(newest.certificate).encode())

    def _revoked(self) -> set[str]:
        every = (i for r in self.journal.state.authorities.values() for i in r.issuances)
        return {str(i.sha256) for i in every if i.status is Status.REVOKED}


@pytest.mark.parametrize("seed", range(8))
def test_what_is_installed_is_believed_whatever_happens(seed: int) -> None:
    random = Random(seed)
    company = IssuerSpec(vault=Vault(server=SERVER, role="web"))
    inside = IssuerSpec(vault=Vault(server=SERVER, path="sub", role="web"))
    house = Across(
        cas={
            "root": Ca(),
            "services": Ca(parent="company", days=200),
            "deputy": Ca(parent="root", days=400, key=P256, custody=MOUNT),
        },
        leaves={"web": Leaf("services"), "api": Leaf("inside", key=P256)},
        issuers={"company": company, "inside": inside},
        safes={"sub": Safe()},
        now=START,
    )
    house.settle()
    house.check()
    for _ in range(STEPS):
        house.edit_something(random)
        house.settle()
        house.check()
