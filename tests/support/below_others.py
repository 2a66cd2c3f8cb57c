"""A fleet whose leaves are signed by a CA of ours that a CA of others signed."""

from fleet import Fleet
from fleet_documents import Ca, Leaf

from schemas.issuer import IssuerSpec
from schemas.vault import Vault

THEIRS = IssuerSpec(vault=Vault(server="https://vault.example.com:8200", role="web"))


def below_others() -> Fleet:
    """Make it: `web` below `services`, which is below the Issuer `company`."""
    return Fleet(
        cas={"root": Ca(), "services": Ca(parent="company", days=200, permits=("example.com",))},
        leaves={"web": Leaf(issuer="services")},
        issuers={"company": THEIRS},
    )
