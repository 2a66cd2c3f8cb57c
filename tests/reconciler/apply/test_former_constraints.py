"""CAs whose certificate shuts URIs by `.`, as until 2026-11, are what they were: read, linted, renewed."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from cryptography import x509 as pyca
from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import shown

from providers import x509
from providers.x509 import subtrees, to_der
from reconciler.lint.linter import Linter
from reconciler.planning import make_plan
from schemas.authority import NameForms


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    """One with a CA that was issued before."""
    fleet = Fleet(
        cas={"root": Ca(), "services": Ca("root", days=400, permits=("example.com",))},
        leaves={"web": Leaf("services")},
    )
    shut = subtrees._shut

    def former(permitted: NameForms) -> Iterator[pyca.GeneralName]:
        for name in shut(permitted):
            is_uri = isinstance(name, pyca.UniformResourceIdentifier)
            yield pyca.UniformResourceIdentifier(".") if is_uri else name

    with monkeypatch.context() as before:
        before.setattr(subtrees, "_shut", former)
        fleet.converge()
    assert uris(certificate(fleet)) == {"."}
    return fleet


def certificate(fleet: Fleet) -> bytes:
    """What `services` signs under, in DER."""
    return to_der(str(fleet.signed_under("services", 1).certificate).encode())


def uris(der: bytes) -> set[str]:
    """The URIs that a CA's certificate excludes."""
    said = pyca.load_der_x509_certificate(der).extensions
    found = said.get_extension_for_class(pyca.NameConstraints).value.excluded_subtrees or ()
    return {name.value for name in found if isinstance(name, pyca.UniformResourceIdentifier)}


def test_it_goes_on_and_its_leaves_are_renewed_below_it(fleet: Fleet) -> None:
    before, linter = certificate(fleet), Linter()
    assert shown(fleet.plan()) == []
    fleet.wait(25)
    assert shown(make_plan(fleet.world(), lint=linter)) == shown(fleet.plan()) != []
    assert linter.remarks == ()
    fleet.converge()
    assert certificate(fleet) == before


def test_its_renewal_is_written_as_it_is_now(fleet: Fleet) -> None:
    before, linter = certificate(fleet), Linter()
    fleet.now = fleet.signed_under("services", 1).not_after - timedelta(days=20)
    assert shown(make_plan(fleet.world(), lint=linter)) == shown(fleet.plan()) != []
    assert linter.remarks == ()
    fleet.converge()
    assert uris(certificate(fleet)) == {"invalid"}
    assert x509.facts(certificate(fleet)).spki == x509.facts(before).spki


def test_it_is_taken_over_elsewhere_as_it_stands(fleet: Fleet) -> None:
    der = certificate(fleet)
    said = x509.existing_authority(der)
    assert said.remarks == ()
    assert said.constraints == x509.existing_authority(renewed(fleet)).constraints


def renewed(fleet: Fleet) -> bytes:
    """The certificate that takes its place."""
    fleet.now = fleet.signed_under("services", 1).not_after - timedelta(days=20)
    fleet.converge()
    return certificate(fleet)
