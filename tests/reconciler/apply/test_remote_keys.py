"""CAs whose keys are at a key service: nothing of a key is in the ledger, and each is used where it is."""

from base64 import b64encode
from dataclasses import dataclass, field, replace

import pytest
from cryptography import x509 as pyca
from cryptography.hazmat.primitives.asymmetric import ec, utils
from fleet import Fleet
from fleet_documents import Ca, Leaf, at
from fleet_sights import shown
from memory_ledger import Crash

from providers import x509
from providers.calls import Calls
from providers.errors import Denied
from providers.remote import RemoteSigner
from providers.signer import PublicKey, signature_hash
from reconciler.access import shut_keys
from reconciler.apply import Session
from reconciler.events import EventStatus
from reconciler.ledger.records import Issuance, Status
from reconciler.planning import make_plan, pending
from reconciler.state import Desired, DesiredAuthority
from schemas.base import digest
from schemas.certificate import Algorithm
from schemas.custody import RemoteKey
from schemas.issuer import IssuerSpec
from schemas.plan import Change, Reason
from schemas.request import KeyType
from schemas.vault import Vault

P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
ANN, BOB = (f"age1{letter * 58}" for letter in "ab")


class Held(RemoteSigner):
    """A key that a service in this process holds."""

    needs = "permission to sign"

    def __init__(self, key: ec.EllipticCurvePrivateKey, fault: Exception | None = None) -> None:
        super().__init__("the key", Calls(lambda _: None))
        self._key, self.fault, self.signed = key, fault, 0

    def _fetch(self) -> PublicKey:
        return self._key.public_key()

    def _sign_digest(self, digest: bytes, /) -> bytes:
        self.signed += 1
        if self.fault is not None:
            raise self.fault
        hashed = signature_hash(self._key.public_key())
        assert hashed is not None
        return self._key.sign(digest, ec.ECDSA(utils.Prehashed(hashed)))


def ref(name: str) -> str:
    return f"gcp-kms:projects/example/locations/global/keyRings/r/cryptoKeys/{name}/cryptoKeyVersions/1"


@dataclass
class RemoteFleet(Fleet):
    """A fleet some of whose CAs have their keys elsewhere; `custody` names them by CA."""

    custody: dict[str, str] = field(default_factory=dict)
    keys: dict[str, Held] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    def key(self, name: str) -> Held:
        """The key of a name at the service."""
        made = Held(ec.generate_private_key(ec.SECP256R1()))
        return self.keys.setdefault(ref(name), made)

    def desired(self) -> Desired:
        found = super().desired()
        authorities = {n: self._kept(authority) for n, authority in found.authorities.items()}
        return replace(found, authorities=authorities)

    def _kept(self, authority: DesiredAuthority) -> DesiredAuthority:
        name = self.custody.get(authority.name)
        if name is None:
            return authority
        request = authority.request.model_copy(update={"key": P256, "key_ref": ref(name)})
        custody = RemoteKey.named(ref(name))
        return replace(
            authority,
            request=request,
            digest=digest(request.to_json()),
            recipients=(),
            custody=custody,
        )

    def session(self) -> Session:
        made = super().session()
        made.open_remote = self._open
        return made

    def _open(self, key: RemoteKey, _secret: object) -> Held:
        self.opened.append(key.reference)
        return self.keys[key.reference]

    def ca(self, name: str, generation: int = 1) -> Issuance:
        """What is recorded of a CA."""
        found = self.journal.state.authorities[name].generation(generation)
        assert found is not None
        return found


@pytest.fixture
def fleet() -> RemoteFleet:
    cas = {"root": Ca(), "mid": Ca("root"), "other": Ca("root")}
    leaves = {"web": Leaf("mid"), "api": Leaf("other", at("b"))}
    made = RemoteFleet(cas=cas, leaves=leaves, custody={"mid": "mid-1"}, keyring=(ANN,))
    made.key("mid-1")
    return made


def only_blocked(fleet: Fleet) -> Change:
    (step,) = fleet.plan().changes
    assert step.action == "blocked"
    return step


def test_a_ca_is_issued_with_its_key_where_it_is(fleet: RemoteFleet) -> None:
    fleet.converge()
    public = fleet.key("mid-1").public_key()
    assert fleet.ca("mid").spki == b64encode(x509.spki(public)).decode()
    assert ("mid", 1) not in fleet.journal.authority_keys
    leaf = pyca.load_pem_x509_certificate((fleet.current("web").certificate or "").encode())
    ca = pyca.load_pem_x509_certificate((fleet.ca("mid").certificate or "").encode())
    leaf.verify_directly_issued_by(ca)


def test_a_run_asks_for_a_key_once_and_only_if_it_signs(fleet: RemoteFleet) -> None:
    fleet.converge()
    assert fleet.opened == [ref("mid-1")]
    signed = fleet.key("mid-1").signed
    fleet.plan()
    fleet.leaves["new"] = Leaf("other")
    fleet.converge()
    assert fleet.opened == [ref("mid-1")]
    assert fleet.key("mid-1").signed == signed


def test_a_root_signs_itself_at_the_service(fleet: RemoteFleet) -> None:
    fleet.custody["root"] = "root-1"
    fleet.key("root-1")
    fleet.converge()
    assert {name for name, _ in fleet.journal.authority_keys} == {"other"}


def test_a_key_of_another_kind_is_refused_and_the_rest_goes_on(fleet: RemoteFleet) -> None:
    fleet.keys[ref("mid-1")] = Held(ec.generate_private_key(ec.SECP384R1()))
    events = {event.address: event for event in fleet.apply()}
    assert events["authority/mid"].status is EventStatus.FAILED
    assert "is of kind ECDSA 384, and ECDSA 256 is asked for" in events["authority/mid"].message
    assert events["certificate/web"].status is EventStatus.SKIPPED
    assert events["certificate/api@b"].status is EventStatus.DONE
    assert "mid" not in fleet.journal.state.authorities


def test_a_key_that_may_not_sign_gets_no_certificate(fleet: RemoteFleet) -> None:
    fleet.key("mid-1").fault = Denied("not for you")
    events = {event.address: event for event in fleet.apply()}
    assert "not for you" in events["authority/mid"].message
    assert "mid" not in fleet.journal.state.authorities
    assert events["certificate/api@b"].status is EventStatus.DONE


def test_leaves_of_a_key_that_fails_are_not_issued_and_the_others_are(fleet: RemoteFleet) -> None:
    fleet.converge()
    fleet.leaves |= {"new": Leaf("mid"), "more": Leaf("mid"), "else": Leaf("other")}
    fleet.keys[ref("mid-1")] = Held(fleet.key("mid-1")._key, Denied("not any more"))
    events = {event.address: event for event in fleet.apply()}
    assert events["certificate/new"].status is EventStatus.FAILED
    assert "not any more" in events["certificate/new"].message
    assert events["certificate/else"].status is EventStatus.DONE
    assert fleet.key("mid-1").signed == 1


def test_custody_of_a_ca_that_exists_is_an_edit_that_takes_a_new_generation(
    fleet: RemoteFleet,
) -> None:
    fleet.converge()
    fleet.custody["mid"] = "mid-2"
    step = only_blocked(fleet)
    assert step.reason is Reason.SPEC_CHANGED
    assert "set generation: 2" in step.message


def test_a_key_is_the_key_of_one_generation(fleet: RemoteFleet) -> None:
    fleet.converge()
    fleet.cas["mid"] = Ca("root", generation=2)
    blocked = next(step for step in fleet.plan().changes if step.address == "authority/mid")
    assert blocked.reason is Reason.BLOCKED_BY
    assert "its key is that of authority/mid, generation 1" in blocked.message


def test_a_key_under_two_names_is_found_out_by_its_public_half(fleet: RemoteFleet) -> None:
    fleet.converge()
    fleet.cas["mid"] = Ca("root", generation=2)
    fleet.custody["mid"] = "replica"
    fleet.keys[ref("replica")] = fleet.key("mid-1")
    events = {event.address: event for event in fleet.apply()}
    assert "is the key of authority/mid, generation 1" in events["authority/mid"].message
    assert fleet.journal.state.authorities["mid"].generation(2) is None


def test_a_former_generation_signs_its_crls_with_the_key_it_has(fleet: RemoteFleet) -> None:
    fleet.converge()
    fleet.cas["mid"] = Ca("root", generation=2)
    fleet.custody["mid"] = "mid-2"
    fleet.key("mid-2")
    fleet.converge()
    fleet.opened.clear()
    fleet.wait(5).converge()
    assert {ref("mid-1"), ref("mid-2")} <= set(fleet.opened)


def test_a_ca_whose_document_is_gone_signs_its_crl_with_the_key_the_ledger_names(
    fleet: RemoteFleet,
) -> None:
    fleet.converge()
    del fleet.leaves["web"], fleet.cas["mid"], fleet.custody["mid"]
    fleet.apply()
    fleet.opened.clear()
    events = {event.address: event for event in fleet.wait(6).apply()}
    assert events["crl/mid-g1"].status is EventStatus.DONE
    assert fleet.opened == [ref("mid-1")]


def test_a_key_moves_out_of_the_ledger_with_a_generation_and_back(fleet: RemoteFleet) -> None:
    fleet.custody.clear()
    fleet.converge()
    fleet.cas["mid"] = Ca("root", generation=2)
    fleet.custody["mid"] = "mid-2"
    fleet.key("mid-2")
    fleet.converge()
    fleet.recipients = (BOB,)
    assert shown(fleet.plan()) == [
        ("configure", "authority/other", "RecipientsChanged"),
        ("configure", "authority/root", "RecipientsChanged"),
    ]
    fleet.converge()
    fleet.custody.clear()
    fleet.cas["mid"] = Ca("root", generation=3)
    fleet.converge()
    assert {("mid", 1), ("mid", 3)} < fleet.journal.authority_keys.keys()
    assert ("mid", 2) not in fleet.journal.authority_keys


def test_no_key_at_a_service_is_told_to_be_shut(fleet: RemoteFleet) -> None:
    fleet.converge()
    fleet.leaves |= {"new": Leaf("mid"), "else": Leaf("other")}
    world = fleet.world()
    steps = pending(make_plan(world).changes)
    assert {shut.name for shut in shut_keys(world, steps, {BOB})} == {None, ("other", 1)}


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wave", range(1, 6))
def test_a_run_that_died_is_taken_up_with_the_same_serial_and_key(
    fleet: RemoteFleet, wave: int, *, after: bool
) -> None:
    fleet.journal.crash_at, fleet.journal.crash_after = wave, after
    with pytest.raises(Crash):
        fleet.apply()
    fleet.journal.crash_at = None
    before = fleet.journal.state.authorities.get("mid")
    fleet.converge()
    if before is not None:
        kept = before.issuances[-1]
        assert fleet.ca("mid").serial == kept.serial
        assert fleet.ca("mid").spki == kept.spki
        assert kept.certificate in (None, fleet.ca("mid").certificate)


def test_a_reservation_whose_key_was_edited_since_is_given_up(fleet: RemoteFleet) -> None:
    fleet.journal.crash_at, fleet.journal.crash_after = 3, True
    with pytest.raises(Crash):
        fleet.apply()
    assert fleet.ca("mid").status is Status.RESERVED
    fleet.journal.crash_at = None
    fleet.custody["mid"] = "mid-2"
    public = fleet.key("mid-2").public_key()
    fleet.converge()
    statuses = [i.status for i in fleet.journal.state.authorities["mid"].issuances]
    assert statuses == [Status.ABANDONED, Status.ISSUED]
    assert fleet.ca("mid").spki == b64encode(x509.spki(public)).decode()


def test_two_cas_that_name_one_key_differently_do_not_share_it(fleet: RemoteFleet) -> None:
    fleet.custody["other"] = "mid-alias"
    fleet.keys[ref("mid-alias")] = fleet.keys[ref("mid-1")]
    failed = [e for e in fleet.apply() if e.status is EventStatus.FAILED]
    assert "is the key of authority/mid, generation 1" in failed[0].message
    assert "other" not in fleet.journal.state.authorities


def test_a_key_at_a_service_is_certified_by_a_ca_of_others(fleet: RemoteFleet) -> None:
    vault = Vault(server="https://vault.example.com:8200", role="web")
    fleet.issuers["company"] = IssuerSpec(vault=vault)
    fleet.cas["mid"] = Ca("company", days=200)
    fleet.converge()
    public = fleet.key("mid-1").public_key()
    assert fleet.ca("mid").spki == b64encode(x509.spki(public)).decode()
    assert fleet.ca("mid").chain is not None
    assert ("mid", 1) not in fleet.journal.authority_keys
    fleet.cas["mid"] = replace(fleet.cas["mid"], parent="root")
    fleet.converge()
    fleet.cas["mid"] = replace(fleet.cas["mid"], parent="company")
    fleet.key("mid-1").fault = Denied("the service is away")
    failed = next(e for e in fleet.apply() if e.address == "authority/mid")
    assert failed.message == "the service is away"
    assert fleet.desk("company").calls["issue"] == 1
