"""The permissions that the documentation names are enough, and no more is asked for than it names."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from certificate_manager_rig import Rig, labels

from providers.abilities import AdoptRequest, HostRequest, RelabelRequest
from providers.specimens import P256, Specimens
from schemas.certificate import Usage
from schemas.issuer import GoogleManagedIssuer
from schemas.request import LeafRequest

DOCUMENT = Path(__file__).parents[3] / "docs" / "gcp-certificate-manager.md"
SETTINGS = {"certificateMap": "front", "trustConfig": "clients"}


class AllBut(set[str]):
    """Every permission there is, except some; remembers which of those were asked for."""

    def __init__(self, granted: set[str]) -> None:
        super().__init__()
        self.granted = granted
        self.asked: set[str] = set()

    def __contains__(self, permission: object) -> bool:
        self.asked |= {str(permission)}
        return permission not in self.granted


@pytest.fixture(scope="module")
def roles() -> dict[str, set[str]]:
    """Return the permissions of each custom role that is documented, by its title."""
    blocks = re.findall(r"```yaml\n(title:.*?)```", DOCUMENT.read_text(), re.DOTALL)
    read = [yaml.safe_load(block) for block in blocks]
    return {role["title"]: set(role["includedPermissions"]) for role in read}


def hosting() -> HostRequest:
    request = LeafRequest(
        issuer="google",
        issuer_generation=1,
        dns_names=("hosted.example.com",),
        usages=(Usage.SERVER_AUTH,),
        key=P256,
        duration=90 * 86_400,
    )
    return HostRequest("hosted", request, labels("hosted"), GoogleManagedIssuer())


def test_the_role_of_plan_is_enough_to_observe(rig: Rig, roles: dict[str, set[str]]) -> None:
    target = rig.target(**SETTINGS)
    web, hosted = target.install(rig.request("web")), target.host(hosting())
    lacking = rig.emulator.service.denied = AllBut(roles["certform plan"])
    assert {found.id for found in target.observe()} == {web.id, hosted.id}
    assert target.find(web.id) == web
    assert lacking.asked == roles["certform plan"]


def test_both_roles_are_enough_for_everything_and_nothing_is_left_over(
    rig: Rig, roles: dict[str, set[str]]
) -> None:
    granted = roles["certform plan"] | roles["certform apply"]
    lacking = rig.emulator.service.denied = AllBut(granted)
    target = rig.target(**SETTINGS)
    rig.emulator.service.operations.polls = 1
    first = target.install(rig.request("web", rig.bundle("a.example.com", "b.example.com")))
    second = target.install(rig.request("web", rig.bundle("b.example.com"), first))
    rig.specimens = Specimens.make(datetime.now(UTC))  # another CA: the trust config grows
    beside = target.install(rig.request("rsa", rig.bundle("b.example.com")))
    renamed = target.relabel(RelabelRequest(second, {**second.labels, "team": "edge"}))
    adopted = target.adopt(AdoptRequest(renamed.id, "web", labels("web")))
    target.host(hosting())
    for found in target.observe():
        target.remove(found)
    assert adopted.id == second.id
    assert beside.id != second.id
    assert list(target.observe()) == []
    assert granted == lacking.asked
