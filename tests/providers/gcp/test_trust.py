"""A trust config holds the anchors and intermediates of what was installed, whoever else writes it."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from certificate_manager_rig import OWNER_ID, PARENT, Rig
from google.cloud import certificate_manager_v1 as api
from wire import Request, Response, Way

from providers import x509
from providers.base import OWNER
from providers.errors import Ambiguous, Rejected
from providers.gcp.manager import CertificateManagerTarget
from providers.specimens import Specimens

PATH = f"{PARENT}/trustConfigs/clients"


@pytest.fixture
def target(rig: Rig) -> CertificateManagerTarget:
    return rig.target(trustConfig="clients")


def held(rig: Rig) -> tuple[list[bytes], list[bytes]]:
    """Return anchors and intermediates in DER."""
    (store,) = rig.emulator.resources[PATH].trust_stores
    return (
        [x509.to_der(each.pem_certificate.encode()) for each in store.trust_anchors],
        [x509.to_der(each.pem_certificate.encode()) for each in store.intermediate_cas],
    )


def test_it_is_made_with_the_first_certificate(rig: Rig, target: CertificateManagerTarget) -> None:
    target.install(rig.request("web"))
    assert held(rig) == ([rig.specimens.root], [rig.specimens.intermediate])
    assert rig.emulator.resources[PATH].labels[OWNER] == OWNER_ID


def test_anchors_are_there_before_the_certificate_that_needs_them(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    target.install(rig.request("web"))
    changes = rig.asked("CreateTrustConfig", "CreateCertificate")
    assert changes == ["CreateTrustConfig", "CreateCertificate"]


def test_it_is_not_written_when_it_holds_everything(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    target.install(rig.request("web"))
    target.install(rig.request("api"))
    assert len(rig.asked("CreateTrustConfig", "UpdateTrustConfig")) == 1


def test_it_grows_and_never_shrinks(rig: Rig, target: CertificateManagerTarget) -> None:
    before = target.install(rig.request("web"))
    first = rig.specimens
    rig.specimens = Specimens.make(datetime.now(UTC))
    target.install(rig.request("web", predecessor=before))
    assert held(rig) == (
        [first.root, rig.specimens.root],
        [first.intermediate, rig.specimens.intermediate],
    )


@pytest.mark.parametrize("anchored_by_itself", [False, True])
def test_what_it_lacks_is_told_and_put_right_without_the_key(
    rig: Rig, target: CertificateManagerTarget, *, anchored_by_itself: bool
) -> None:
    bundle = rig.bundle()
    if anchored_by_itself:  # a leaf that its anchor issued has no chain
        bundle = replace(bundle, chain=(), anchors=bundle.chain)
    wanted = rig.request("web", bundle)
    before = rig.target().install(wanted)
    words = ("the trust config does not hold what it is trusted by",)
    assert list(target.observe()) == [replace(before, incomplete=words)]
    put_others(rig)
    (found,) = target.observe()
    assert found.incomplete == words
    keyless = replace(wanted, bundle=replace(bundle, private_key=None), predecessor=found)
    assert target.install(keyless) == before
    assert list(target.observe()) == [before]
    del rig.emulator.resources[PATH].trust_stores[0].trust_anchors[-1]
    assert list(target.observe()) == [replace(before, incomplete=words)]


def put_others(rig: Rig) -> None:
    """Let the trust config be one of ours that holds another CA."""
    other = api.TrustConfig.TrustAnchor(
        pem_certificate=x509.pem(Specimens.make(datetime.now(UTC)).root).decode()
    )
    rig.emulator.resources[PATH] = api.TrustConfig(
        name=PATH,
        labels={OWNER: OWNER_ID},
        trust_stores=[api.TrustConfig.TrustStore(trust_anchors=[other])],
    )


def test_one_that_is_somebody_elses_is_left_alone(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    rig.emulator.resources[PATH] = api.TrustConfig(name=PATH, labels={"team": "edge"})
    with pytest.raises(Rejected, match="not ours"):
        target.install(rig.request("web"))
    assert list(rig.emulator.resources[PATH].trust_stores) == []


def test_what_somebody_adds_meanwhile_is_kept(rig: Rig, target: CertificateManagerTarget) -> None:
    target.install(rig.request("web"))
    other = Specimens.make(datetime.now(UTC))
    serve = rig.emulator.wire.service
    added: list[bool] = []

    def add_first(request: Request) -> Response:
        if request.method == "PATCH" and not added:
            added.append(True)
            anchor = api.TrustConfig.TrustAnchor(pem_certificate=x509.pem(other.root).decode())
            rig.emulator.resources[PATH].trust_stores[0].trust_anchors.append(anchor)
        return serve(request)

    rig.emulator.wire.service = add_first
    first, rig.specimens = rig.specimens, Specimens.make(datetime.now(UTC))
    target.install(rig.request("api"))
    assert held(rig)[0] == [first.root, other.root, rig.specimens.root]
    assert len(rig.asked("UpdateTrustConfig")) == 2


@pytest.mark.parametrize("operation", ["CreateTrustConfig", "UpdateTrustConfig"])
def test_what_was_not_answered_is_looked_for(
    rig: Rig, target: CertificateManagerTarget, operation: str
) -> None:
    rig.emulator.wire.fail(operation, Way.UNANSWERED)
    target.install(rig.request("web"))
    rig.specimens = Specimens.make(datetime.now(UTC))
    target.install(rig.request("api"))
    assert len(held(rig)[0]) == 2
    assert len(rig.asked("CreateTrustConfig", "UpdateTrustConfig")) == 2


def test_what_never_arrived_is_ambiguous(rig: Rig, target: CertificateManagerTarget) -> None:
    rig.emulator.wire.fail("CreateTrustConfig", Way.DROPPED)
    with pytest.raises(Ambiguous):
        target.install(rig.request("web"))
