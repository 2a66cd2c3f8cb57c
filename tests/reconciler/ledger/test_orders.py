"""Orders at other CAs in the ledger: their own format, what may be said of them, and where their keys are."""

from collections.abc import Callable, Mapping
from datetime import timedelta

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers.secret import Secret
from reconciler.ledger import layout
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import verify_history
from reconciler.ledger.records import CertificateRecord, Issuance, Placement, Status

REFERENCE, ORDER = (
    "0f" * 16,
    "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/x/certificate/31",
)
LATER = kit.NOW + timedelta(days=80)


def _order(status: Status, **changes: object) -> Issuance:
    made = kit.issuance(REFERENCE, status, reference=REFERENCE)
    return made.model_copy(update=changes)


def _bought(**changes: object) -> Issuance:
    pems = {"certificate": "Y2VydA==", "chain": ("Y2E=",), "anchors": ("cm9vdA==",)}
    done = {"serial": "1f", "order": ORDER, "not_after": LATER, **pems, **changes}
    return _order(Status.ISSUED, **done)


RECORDS: Mapping[str, CertificateRecord] = {
    "certificate-ordered": CertificateRecord(
        name="ordered",
        issuances=(_bought(), _order(Status.RESERVED, bundle="8899aabbccddeeff")),
    ),
    "certificate-hosted": CertificateRecord(
        name="hosted",
        placements=(
            Placement(target="acm/eu-west-1", object_name="hosted", object_id="arn", hosted=True),
        ),
    ),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_written_as_it_always_was_and_read_back(
    name: str, golden: Callable[[str, str], None]
) -> None:
    content = layout.encode(RECORDS[name])
    golden(f"ledger/{name}.json", content.decode())
    assert layout.decode(CertificateRecord, "file", content) == RECORDS[name]


def _wave(*issuances: Issuance) -> Wave:
    return Wave("a wave", certificates=[kit.certificate("web", *issuances)])


def _problems(make_site: Callable[..., Site], *waves: Wave) -> list[str]:
    site = make_site(remote=False)
    with site.journal() as journal:
        for each in waves:
            journal.write(each)
    return [finding.problem for finding in verify_history(site.path, site.settings)]


def test_an_order_gets_its_serial_and_its_dates_from_the_ca(make_site: Callable[..., Site]) -> None:
    reserved = _order(Status.RESERVED)
    ordered = reserved.model_copy(update={"order": ORDER})
    assert _problems(make_site, _wave(reserved), _wave(ordered), _wave(_bought())) == []


@pytest.mark.parametrize(
    ("after", "problem"),
    [
        (_bought(serial="20"), "serial 1f changed its serial"),
        (_bought(not_after=kit.NOW), "serial 1f changed its not_after"),
        (_bought(chain=("b3RoZXI=",)), "serial 1f changed its chain"),
        (_bought(reference="f0" * 16), "serial 1f vanished before it expired"),
    ],
)
def test_what_was_recorded_of_an_order_is_never_unsaid(
    make_site: Callable[..., Site], after: Issuance, problem: str
) -> None:
    assert problem in _problems(make_site, _wave(_bought()), _wave(after))


def test_a_serial_of_ours_is_never_changed(make_site: Callable[..., Site]) -> None:
    reserved, issued = kit.issuance("1f", Status.RESERVED), kit.issuance("20")
    assert _problems(make_site, _wave(reserved), _wave(issued)) == [
        "serial 1f vanished before it expired"
    ]


def test_the_key_is_found_under_the_serial_that_there_is(make_site: Callable[..., Site]) -> None:
    site = make_site(remote=False)
    bundle, key = "0011223344556677", Secret(b"key")
    reserved = _order(Status.RESERVED, bundle=bundle)
    with site.journal() as journal:
        journal.write(
            Wave(
                "reserve",
                certificates=[kit.certificate("web", reserved)],
                bundle=bundle,
                new_keys={REFERENCE: key},
            )
        )
        assert journal.leaf_keys([REFERENCE])[REFERENCE].reveal() == b"key"
        journal.write(_wave(_bought(bundle=bundle)))
        assert journal.leaf_keys(["1f"])["1f"].reveal() == b"key"
    with site.journal() as journal:
        assert journal.leaf_keys(["1f"])["1f"].reveal() == b"key"
        journal.write(
            Wave(
                "erase",
                certificates=[kit.certificate("web", _bought())],
                erase=frozenset({"1f"}),
            )
        )
        assert journal.leaf_keys(["1f"]) == {}
        assert journal.state.bundles == frozenset()
