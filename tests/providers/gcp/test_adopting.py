"""What somebody else made is taken over by labels alone."""

import pytest
from certificate_manager_rig import PARENT, SOMEBODY, Rig, labels
from google.cloud import certificate_manager_v1 as api

from providers.abilities import AdoptRequest
from providers.base import OWNER
from providers.errors import Conflict, NotFound

FOREIGN = f"{PARENT}/certificates/legacy"


@pytest.fixture
def legacy(rig: Rig) -> api.Certificate:
    resource = api.Certificate(
        name=FOREIGN,
        labels={"team": "payments"},
        self_managed=api.Certificate.SelfManagedCertificate(),
        pem_certificate=rig.bundle().certificate.decode(),
    )
    rig.emulator.resources[FOREIGN] = resource
    return resource


def test_an_adopted_certificate_keeps_its_content_name_and_labels(
    rig: Rig, legacy: api.Certificate
) -> None:
    target = rig.target()
    (before,) = target.observe()
    adopted = target.adopt(AdoptRequest(FOREIGN, "web", labels("web")))
    assert adopted.name == "legacy"
    assert adopted.labels == {"team": "payments", **labels("web")}
    assert (adopted.sha256, adopted.trust) == (before.sha256, None)
    assert list(target.observe()) == [adopted]
    assert target.adopt(AdoptRequest(FOREIGN, "web", labels("web"))) == adopted


def test_an_adopted_certificate_can_be_renewed_in_place(rig: Rig, legacy: api.Certificate) -> None:
    target = rig.target()
    adopted = target.adopt(AdoptRequest(FOREIGN, "web", labels("web")))
    renewed = target.install(rig.request("legacy", predecessor=adopted))
    assert (renewed.id, renewed.labels["team"]) == (FOREIGN, "payments")
    assert renewed.trust is not None


def test_what_is_another_owners_is_not_adopted(rig: Rig, legacy: api.Certificate) -> None:
    legacy.labels[OWNER] = SOMEBODY
    with pytest.raises(Conflict, match="another owner"):
        rig.target().adopt(AdoptRequest(FOREIGN, "web", labels("web")))
    assert rig.asked("UpdateCertificate") == []


def test_what_is_not_there_is_not_adopted(rig: Rig) -> None:
    with pytest.raises(NotFound):
        rig.target().adopt(AdoptRequest(FOREIGN, "web", labels("web")))
