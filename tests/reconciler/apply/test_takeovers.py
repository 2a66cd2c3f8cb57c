"""CAs that existed before, in the fleet: taken over with their past, and from then on like any other."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from cryptography import x509 as cx
from fleet import Fleet
from fleet_documents import HERE, START, Ca, Leaf
from fleet_sights import named, reasons, shown
from memory_ledger import Crash
from takeovers import ANCHOR, NAME, OFFLINE, elliptic, entry, made, sealed, takeover
from trusting import Trust

from providers import x509
from providers.signer import KeySigner, PrivateKey, Signer
from reconciler.apply import Session
from reconciler.events import EventStatus
from reconciler.state import DesiredRevocation
from reconciler.takeover import Takeover
from schemas.custody import RemoteKey
from schemas.plan import Action, Reason
from schemas.revocation import RevocationReason

BEFORE = START - timedelta(days=400)
SOON, LATE = START + timedelta(days=20), START + timedelta(days=900)
PAST = (
    entry("1001", LATE),
    entry("1002", LATE, BEFORE),
    entry("1003", START - timedelta(days=1), BEFORE),
    entry("1004", None, BEFORE),
    entry("1005", SOON),
)


@pytest.fixture
def existing() -> Takeover:
    key = elliptic()
    return takeover(made(BEFORE, key), key, past=PAST, number=41)


@pytest.fixture
def fleet(existing: Takeover) -> Fleet:
    return Fleet({"legacy": Ca(existing=existing)}, {"web": Leaf(issuer="legacy")})


def crl(fleet: Fleet, name: str = "legacy-g1.crl") -> x509.Crl:
    return x509.read_crl(fleet.publisher.published()[name])


def test_one_plan_takes_it_over_and_issues_under_it(fleet: Fleet, existing: Takeover) -> None:
    change = named(fleet.plan(), Action.ADOPT, "authority/legacy")
    assert (change.reason, change.due) == (Reason.TAKEN_OVER, False)
    assert existing.sha256 in change.message
    assert "4 certificates that it issued, 2 of them revoked" in change.message
    assert "numbers above 41" in change.message
    issue = named(fleet.plan(), Action.ISSUE, "certificate/web")
    assert "adopt:authority/legacy" in issue.requires
    fleet.converge()
    record = fleet.journal.state.authorities["legacy"].issuances
    assert [(i.serial, i.signer, i.sha256) for i in record] == [
        ("1000", "1000", existing.sha256),
    ]
    leaf = cx.load_pem_x509_certificate((fleet.current("web").certificate or "").encode())
    leaf.verify_directly_issued_by(cx.load_der_x509_certificate(existing.certificate))


def test_its_first_crl_here_unrevokes_nothing_and_goes_on_counting(fleet: Fleet) -> None:
    fleet.converge()
    told = crl(fleet)
    assert set(told.entries) == {"1002", "1004"}
    assert told.entries["1002"] == x509.CrlEntry(BEFORE, RevocationReason.KEY_COMPROMISE)
    assert told.number > 41


def test_the_fingerprint_of_a_takeover_holds_no_clock(fleet: Fleet) -> None:
    first = named(fleet.plan(), Action.ADOPT, "authority/legacy")
    later = named(fleet.wait(30).plan(), Action.ADOPT, "authority/legacy")
    assert first.message != later.message, "by then fewer matter"
    assert first.fingerprint == later.fingerprint


def test_another_key_proves_nothing_and_nothing_is_recorded(
    fleet: Fleet, existing: Takeover
) -> None:
    wrong = replace(existing, sealed=sealed(elliptic()))
    fleet.cas["legacy"] = Ca(existing=wrong)
    failed = [e for e in fleet.apply() if e.status is not EventStatus.DONE]
    assert "the key at hand is not that of the certificate" in failed[0].message
    assert fleet.journal.state.authorities == {}
    assert fleet.journal.state.past == {}


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_at_any_wave_converges(existing: Takeover, after: bool) -> None:
    for at in range(1, 9):
        fleet = Fleet({"legacy": Ca(existing=existing)}, {"web": Leaf(issuer="legacy")})
        fleet.journal.crash_at, fleet.journal.crash_after = at, after
        try:
            fleet.apply()
        except Crash:
            fleet.converge()
        else:
            assert at > 5
        assert set(crl(fleet).entries) == {"1002", "1004"}


def test_a_later_index_is_added_and_takes_nothing_back(fleet: Fleet, existing: Takeover) -> None:
    fleet.converge()
    more = (entry("1001", LATE, START), *PAST[2:], entry("1006", LATE))
    fleet.cas["legacy"] = Ca(existing=replace(existing, past=more, evidence="other"))
    change = named(fleet.plan(), Action.ADOPT, "authority/legacy")
    assert change.message == "its files tell more: 2 certificates that it issued, 1 of them revoked"
    fleet.converge()
    entries = fleet.journal.state.past["legacy", 1].entries
    assert {e.serial for e in entries if e.revoked} == {"1001", "1002", "1004"}
    assert {"1005", "1006"} <= {e.serial for e in entries}
    assert set(crl(fleet).entries) == {"1001", "1002", "1004"}


def test_a_later_list_that_tells_no_end_forgets_none(fleet: Fleet, existing: Takeover) -> None:
    fleet.converge()
    more = (entry("1001", None, START),)
    fleet.cas["legacy"] = Ca(existing=replace(existing, past=more, evidence="other"))
    fleet.converge()
    (found,) = (e for e in fleet.journal.state.past["legacy", 1].entries if e.serial == "1001")
    assert found.revoked is not None
    assert found.not_after == LATE


def test_the_files_of_its_past_may_go_once_it_is_taken_over(
    fleet: Fleet, existing: Takeover
) -> None:
    fleet.converge()
    fleet.cas["legacy"] = Ca(existing=replace(existing, past=(), number=None, evidence="none"))
    assert shown(fleet.plan()) == []


def test_another_certificate_in_its_place_is_blocked(fleet: Fleet) -> None:
    fleet.converge()
    key = elliptic()
    fleet.cas["legacy"] = Ca(existing=takeover(made(BEFORE, key, serial=0x2000), key))
    plan = fleet.plan()
    assert reasons(plan, "authority/legacy")[Action.BLOCKED] is Reason.SPEC_CHANGED
    assert "is another certificate in the ledger (serial 1000)" in next(
        c.message for c in plan.changes if c.address == "authority/legacy"
    )


def test_one_that_expired_is_not_taken_over() -> None:
    key = elliptic()
    fleet = Fleet({"legacy": Ca(existing=takeover(made(BEFORE, key, days=300), key))})
    assert reasons(fleet.plan(), "authority/legacy") == {Action.BLOCKED: Reason.EXPIRED}


def test_what_it_issued_before_is_revoked_by_its_serial(fleet: Fleet) -> None:
    fleet.converge().revoke("r", serials=("1001", "1002"))
    change = named(fleet.plan(), Action.REVOKE, "past/legacy-g1")
    assert (change.address, change.due) == ("past/legacy-g1#1001", False)
    publish = named(fleet.plan(), Action.PUBLISH, "crl/legacy-g1")
    assert change.id in publish.requires
    before = crl(fleet).number
    fleet.converge()
    assert set(crl(fleet).entries) == {"1001", "1002", "1004"}
    assert crl(fleet).number > before


def test_it_can_be_revoked_in_the_plan_that_takes_it_over(fleet: Fleet) -> None:
    fleet.revoke("r", serials=("1001",))
    fleet.converge()
    assert set(crl(fleet).entries) == {"1001", "1002", "1004"}


def test_two_cas_of_before_that_gave_the_same_number_have_to_be_told_apart() -> None:
    cas = {}
    for name, serial in (("one", 0x50), ("two", 0x60)):
        key = elliptic()
        subject = cx.Name([cx.NameAttribute(cx.NameOID.COMMON_NAME, name)])
        der = made(BEFORE, key, name=subject, serial=serial)
        cas[name] = Ca(existing=takeover(der, key, past=(entry("7", LATE),)))
    fleet = Fleet(cas).converge()
    fleet.revoke("r", serials=("7",))
    (stuck,) = fleet.plan().changes
    assert stuck.message == (
        "authority/one and authority/two both issued serial 7: name one in authorityRef"
    )
    fleet.revocations["r"] = replace(fleet.revocations["r"], authority="two")
    fleet.converge()
    assert (set(crl(fleet, "one-g1.crl").entries), set(crl(fleet, "two-g1.crl").entries)) == (
        *(set(), {"7"}),
    )


def test_a_compromised_generation_takes_everything_of_before_along(
    fleet: Fleet, existing: Takeover
) -> None:
    fleet.converge()
    fleet.cas["legacy"] = Ca(existing=existing, generation=2)
    fleet.revocations["r"] = DesiredRevocation(
        name="r",
        source=HERE,
        certificates=(),
        issued_before=None,
        serials=(),
        reason=RevocationReason.KEY_COMPROMISE,
        authority="legacy",
        generation=1,
    )
    change = named(fleet.plan(), Action.REVOKE, "past/legacy-g1")
    assert (change.reason, change.before) == (Reason.COMPROMISED, None)
    fleet.converge()
    assert {"1001", "1002", "1004", "1005"} <= set(crl(fleet).entries)


def test_the_next_generation_is_an_ordinary_one(fleet: Fleet, existing: Takeover) -> None:
    fleet.converge()
    fleet.cas["legacy"] = Ca(existing=existing, generation=2)
    fleet.converge()
    assert fleet.journal.state.authorities["legacy"].issued(2) is not None
    assert fleet.current("web").request.issuer_generation == 2
    fleet.wait(6).converge()
    assert set(crl(fleet).entries) == {"1002", "1004"}, "its own key goes on signing its CRL"


def test_a_renewal_repeats_its_name_and_key_id_to_the_byte(
    fleet: Fleet, existing: Takeover
) -> None:
    assert existing.request.inherited is not None
    fleet.cas["legacy"] = Ca(existing=existing, renew_before=300)
    fleet.leaves.clear()
    fleet.converge().wait(2400)
    assert Reason.RENEWING in reasons(fleet.plan(), "authority/legacy").values()
    fleet.apply()
    old, new = (
        cx.load_pem_x509_certificate((i.certificate or "").encode())
        for i in fleet.journal.state.authorities["legacy"].issuances
    )
    assert new.subject.public_bytes() == old.subject.public_bytes() == NAME.public_bytes()
    kinds = (cx.SubjectKeyIdentifier, cx.AuthorityKeyIdentifier)
    own, above = (new.extensions.get_extension_for_class(kind).value for kind in kinds)
    assert own == old.extensions.get_extension_for_class(cx.SubjectKeyIdentifier).value
    assert isinstance(above, cx.AuthorityKeyIdentifier)
    assert above.key_identifier == (0x1000).to_bytes(20)


def test_below_an_anchor_everything_goes_on_and_the_anchor_signs_no_crl() -> None:
    above, below = elliptic(), elliptic()
    anchor = made(BEFORE, above)
    subject = cx.Name([cx.NameAttribute(cx.NameOID.COMMON_NAME, "Services")])
    der = made(BEFORE, below, name=subject, parent=(anchor, above), serial=0x2000, days=2000)
    cas = {
        "anchor": Ca(existing=takeover(anchor, custody=ANCHOR)),
        "services": Ca(parent="anchor", existing=takeover(der, below, parent="anchor")),
    }
    fleet = Fleet(cas, {"web": Leaf(issuer="services")})
    fleet.converge()
    services = fleet.journal.state.authorities["services"].issuances
    assert [i.signer for i in services] == ["1000"]
    assert set(fleet.publisher.published()) == {
        "anchor-g1.crt",
        "services-g1.crt",
        "services-g1.crl",
    }


def test_nobody_proves_an_offline_key_and_its_crl_waits_for_a_ceremony() -> None:
    der = made(BEFORE, elliptic())
    fleet = Fleet({"legacy": Ca(existing=takeover(der, custody=OFFLINE))})
    change = named(fleet.plan(), Action.ADOPT, "authority/legacy")
    assert "nobody proves its key, which is offline" in change.message
    fleet.apply()
    assert reasons(fleet.plan(), "crl/legacy-g1") == {Action.BLOCKED: Reason.CEREMONY}


def test_a_ca_whose_certificates_of_before_are_valid_cannot_leave(fleet: Fleet) -> None:
    fleet.leaves.clear()
    fleet.converge()
    del fleet.cas["legacy"]
    (stuck,) = (c for c in fleet.plan().changes if c.address == "authority/legacy")
    assert stuck.message.startswith("4 of its certificates are still valid")


@dataclass
class ServiceFleet(Fleet):
    """A fleet of which one key is at a key service; `asked` are the keys that were."""

    keys: dict[str, PrivateKey] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def session(self) -> Session:
        session = super().session()
        session.open_remote = self._open
        return session

    def _open(self, key: RemoteKey, _secret: object) -> Signer:
        self.asked.append(key.reference)
        return KeySigner(self.keys[key.reference])


def test_a_key_at_a_key_service_proves_itself_there_and_goes_on_beside_a_later_generation() -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    custody, key = RemoteKey.named(f"aws-kms:{arn}"), elliptic()
    existing = takeover(made(BEFORE, key), custody=custody, past=PAST)
    fleet = ServiceFleet({"legacy": Ca(existing=existing)}, {"web": Leaf(issuer="legacy")})
    fleet.keys[custody.reference] = key
    fleet.plan()
    assert fleet.asked == [], "a plan asks no key"
    fleet.converge()
    fleet.cas["legacy"] = Ca(existing=existing, generation=2)
    fleet.converge().wait(6).converge()
    assert set(crl(fleet).entries) == {"1002", "1004"}
    fleet.keys[custody.reference] = elliptic()
    stranger = ServiceFleet({"legacy": Ca(existing=existing)}, keys=fleet.keys)
    assert {e.status for e in stranger.apply()} >= {EventStatus.FAILED}
    assert stranger.journal.state.authorities == {}


def test_an_anchor_is_in_bundles_by_the_plan_that_takes_it_over() -> None:
    anchor = made(BEFORE, elliptic())
    fleet = Fleet({"anchor": Ca(existing=takeover(anchor, custody=ANCHOR))})
    fleet.bundles["trust"] = Trust(authorities=("anchor",))
    assert named(fleet.plan(), Action.INSTALL, "bundle/trust@a").requires == (
        "adopt:authority/anchor",
    )
    fleet.converge()
    (place,) = fleet.journal.state.trust["trust"].placements
    assert place.anchors == (x509.facts(anchor).sha256,)
