"""CAs whose key Vault makes and keeps: we sign, it is handed the chain, and any crash converges."""

from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import issuances, named, reasons, shown
from memory_ledger import Crash

from providers import x509
from providers.errors import Ambiguous, Denied
from providers.issuing import Issuer, IssuerConfig
from providers.memory_issuer import MemoryIssuer
from providers.memory_keeper import Safe
from providers.specimens import Specimens
from providers.x509 import to_der
from reconciler.diff.hanging import uses
from reconciler.drifting import Kind, drift
from reconciler.events import EventStatus
from reconciler.impact import impact
from reconciler.ledger.deeds import deeds
from reconciler.ledger.records import Issuance, LedgerState, Status
from reconciler.selection import Selection
from schemas.certificate import Algorithm
from schemas.custody import MountedKey
from schemas.issuer import IssuerSpec
from schemas.plan import Action, Reason
from schemas.request import KeyType
from schemas.vault import Vault, VaultConnection

P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
MOUNT = MountedKey(vault=VaultConnection(server="https://vault.example.com:8200", path="sub"))


class Vaulted(Fleet):
    """A fleet with a leaf that Vault signs, by whatever it was handed last."""

    def ask(self, config: IssuerConfig) -> Issuer:
        own, *_, root = safe(self).installed[-1]
        spki = x509.facts(own).spki
        mine = (k for k in safe(self).keys.values() if x509.spki(k.public_key()) == spki)
        self.desk(config.name).ca = Specimens(root, own, next(mine))
        return MemoryIssuer(self.desk(config.name))


@pytest.fixture
def vaulted(fleet: Fleet) -> Vaulted:
    vault = Vault(server=MOUNT.vault.server, path="sub", role="web")
    return Vaulted(
        cas=fleet.cas,
        leaves={"api": Leaf("inside", key=P256), "web": Leaf()},
        safes=fleet.safes,
        issuers={"inside": IssuerSpec(vault=vault)},
    )


@pytest.fixture
def fleet() -> Fleet:
    services = Ca(parent="root", days=1000, key=P256, custody=MOUNT, path_length=0)
    return Fleet(
        cas={"root": Ca(), "services": services},
        leaves={"web": Leaf()},
        safes={"sub": Safe()},
    )


def safe(fleet: Fleet) -> Safe:
    """What Vault has."""
    return fleet.safes["sub"]


def signed(fleet: Fleet) -> Issuance:
    """What Vault's CA signs under, as the ledger has it."""
    return fleet.signed_under("services", 1)


def certificate(issuance: Issuance) -> bytes:
    """A certificate in DER."""
    return to_der(str(issuance.certificate).encode())


def test_vault_makes_the_key_we_sign_and_it_is_handed_the_chain(fleet: Fleet) -> None:
    fleet.converge()
    own, root = signed(fleet), fleet.signed_under("root", 1)
    assert safe(fleet).installed == [(certificate(own), certificate(root))]
    assert own.handed_at == fleet.now
    record = fleet.journal.state.authorities["services"]
    assert list(deeds(None, record))[-1] == f"handed over to Vault {own.serial}"
    assert own.signer == root.serial
    assert list(fleet.journal.authority_keys) == [("root", 1)]


def test_all_but_the_key_is_as_our_document_says(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], permits=("example.com",))
    fleet.converge()
    said = x509.existing_authority(certificate(signed(fleet)))
    (key,) = safe(fleet).keys.values()
    assert x509.facts(certificate(signed(fleet))).spki == x509.spki(key.public_key())
    assert said.common_name == "Example services G1"
    assert said.path_length == 0
    assert said.constraints is not None
    assert said.constraints.permitted.dns_domains == ("example.com",)


def test_a_plan_asks_nobody_and_shows_both_steps(fleet: Fleet) -> None:
    plan = fleet.plan()
    assert reasons(plan, "authority/services") == {Action.ISSUE: Reason.NOT_FOUND}
    handing = named(plan, Action.PUBLISH, "mount/services-g1")
    assert named(plan, Action.ISSUE, "authority/services").id in handing.requires
    assert handing.after == {"file": "https://vault.example.com:8200/sub"}
    assert not safe(fleet).calls


@pytest.mark.parametrize(
    ("selection", "meant"),
    [
        (Selection(("authority/services",)), True),
        (Selection(("mount/services-g1",)), True),
        (Selection(labels={"team": "pki"}), True),
        (Selection(("authority/root",)), False),
        (Selection(labels={"team": "shop"}), False),
    ],
)
def test_who_means_a_ca_means_that_it_is_handed_over(
    fleet: Fleet, selection: Selection, *, meant: bool
) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], labels={"team": "pki"})
    fleet.apply(selection)
    assert bool(safe(fleet).installed) is meant


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("wave", range(1, 9))
def test_after_a_crash_at_any_wave_there_is_one_key_and_one_certificate(
    fleet: Fleet, wave: int, *, after: bool
) -> None:
    fleet.journal.crash_at, fleet.journal.crash_after = wave, after
    with pytest.raises(Crash):
        fleet.apply()
    fleet.converge()
    assert len(safe(fleet).keys) == 1
    assert {chain[0] for chain in safe(fleet).installed} == {certificate(signed(fleet))}
    mine = [i for i in issuances(fleet.journal.state) if i.generation and i.request.issuer]
    assert [i.status for i in mine] == [Status.ISSUED]


def test_an_answer_that_is_lost_makes_no_second_key(fleet: Fleet) -> None:
    safe(fleet).lost = [Ambiguous("no answer")]
    assert any(event.status is EventStatus.FAILED for event in fleet.apply())
    fleet.converge()
    assert len(safe(fleet).keys) == 1


def refusing(fleet: Fleet) -> None:
    """Let Vault refuse what it is handed, once."""

    def watch(before: LedgerState, after: LedgerState) -> None:
        here = [state.authorities.get("services") for state in (before, after)]
        if [bool(record and record.issued(1)) for record in here] == [False, True]:
            safe(fleet).failures = [Denied("no policy lets this token write")]

    fleet.journal.watch = watch


@pytest.mark.parametrize("pinned", [False, True])
def test_what_could_not_be_handed_over_is_so_by_the_next_run(fleet: Fleet, *, pinned: bool) -> None:
    refusing(fleet)
    failed = next(e for e in fleet.apply() if e.status is EventStatus.FAILED)
    assert (failed.address, failed.message) == (
        "mount/services-g1",
        "no policy lets this token write",
    )
    assert signed(fleet).handed_at is None
    fleet.pinned = pinned
    (step,) = fleet.plan().changes
    assert (step.address, step.reason, step.due) == ("mount/services-g1", Reason.NOT_FOUND, True)
    fleet.converge()
    assert safe(fleet).installed[-1][0] == certificate(signed(fleet))


def test_what_vault_refuses_waits_for_the_next_run_and_is_signed_once(fleet: Fleet) -> None:
    fleet.converge()
    fleet.cas["services"] = replace(fleet.cas["services"], generation=2)
    safe(fleet).failures = [Denied("no policy lets this token write")]
    failed = next(e for e in fleet.apply() if e.address == "authority/services")
    assert failed.message == "no policy lets this token write"
    fleet.converge()
    assert len(safe(fleet).keys) == 2


def test_it_is_renewed_with_the_same_key(fleet: Fleet) -> None:
    fleet.converge()
    first = signed(fleet)
    fleet.wait(800)
    assert reasons(fleet.plan(), "mount/services-g1") == {Action.PUBLISH: Reason.SUPERSEDED}
    fleet.converge()
    assert signed(fleet).serial != first.serial
    assert signed(fleet).spki == first.spki
    assert len(safe(fleet).keys) == 1
    assert safe(fleet).calls["request"] == 1
    assert safe(fleet).installed[-1][0] == certificate(signed(fleet))


def test_a_new_generation_has_another_key(fleet: Fleet) -> None:
    fleet.converge()
    fleet.cas["services"] = replace(fleet.cas["services"], generation=2)
    fleet.converge()
    assert fleet.signed_under("services", 2).spki != signed(fleet).spki
    assert safe(fleet).installed[-1][0] == certificate(fleet.signed_under("services", 2))


def test_another_parent_signs_the_same_key(fleet: Fleet) -> None:
    fleet.converge()
    fleet.cas["other"] = Ca()
    fleet.cas["services"] = replace(fleet.cas["services"], parent="other")
    fleet.converge()
    assert safe(fleet).installed[-1][1] == certificate(fleet.signed_under("other", 1))
    assert len(safe(fleet).keys) == 1


def test_its_lists_are_not_ours_but_the_list_it_is_on_is(fleet: Fleet) -> None:
    fleet.converge()
    assert "services-g1.crl" not in fleet.published()
    serial = signed(fleet).serial
    fleet.compromise("services").converge()
    assert serial in fleet.published()["root-g1.crl"].revoked
    assert len(safe(fleet).keys) == 2


def test_a_key_of_the_ledger_moves_to_vault_with_the_next_generation_alone(fleet: Fleet) -> None:
    fleet.cas["services"] = replace(fleet.cas["services"], custody=None)
    fleet.converge()
    fleet.cas["services"] = replace(fleet.cas["services"], custody=MOUNT)
    assert reasons(fleet.plan(), "authority/services") == {Action.BLOCKED: Reason.SPEC_CHANGED}
    fleet.cas["services"] = replace(fleet.cas["services"], generation=2)
    fleet.converge()
    assert fleet.signed_under("services", 2).handed_at is not None
    assert "services-g1.crl" in fleet.published()


def test_another_address_of_the_same_vault_changes_nothing(fleet: Fleet) -> None:
    fleet.converge()
    moved = MOUNT.vault.model_copy(update={"server": "https://vault.example.org:8200"})
    fleet.cas["services"] = replace(fleet.cas["services"], custody=MountedKey(vault=moved))
    assert shown(fleet.plan()) == []


def test_a_key_of_another_kind_than_is_asked_for_is_not_signed(fleet: Fleet) -> None:
    name = f"certform-{fleet.journal.state.lineage.id}-services-g1-ecdsa-256"
    safe(fleet).keys[name] = x509.generate_key(KeyType(algorithm=Algorithm.ECDSA, size=384))
    failed = next(e for e in fleet.apply() if e.address == "authority/services")
    assert failed.message == f"{name} is of kind ECDSA 384, and ECDSA 256 is asked for"
    assert fleet.journal.state.authorities.keys() == {"root"}


def test_a_leaf_that_vault_signs_waits_until_it_was_handed_its_ca(vaulted: Vaulted) -> None:
    order = named(vaulted.plan(), Action.ISSUE, "certificate/api")
    assert named(vaulted.plan(), Action.PUBLISH, "mount/services-g1").id in order.requires
    vaulted.converge()
    assert vaulted.current("api").chain == (signed(vaulted).certificate,)


@pytest.mark.parametrize("named", [None, "other"])
def test_what_another_ca_of_the_mount_signs_is_taken_where_the_issuer_names_it(
    vaulted: Vaulted, monkeypatch: pytest.MonkeyPatch, named: str | None
) -> None:
    vaulted.converge()
    vault = Vault(server=MOUNT.vault.server, path="sub", role="web", issuer=named)
    vaulted.issuers["inside"] = IssuerSpec(vault=vault)
    vaulted.desk("inside").ca = Specimens.make(vaulted.now)
    monkeypatch.setattr(vaulted, "ask", lambda config: MemoryIssuer(vaulted.desk(config.name)))
    before = vaulted.wait(25).current("api").serial
    told = [e.message for e in vaulted.apply() if e.address == "certificate/api"]
    assert (vaulted.current("api").serial != before) is bool(named)
    assert any("another CA signed it than authority/services" in t for t in told) is not bool(named)


def test_what_vault_signed_hangs_by_our_root_and_its_anchor_stays(vaulted: Vaulted) -> None:
    vaulted.converge()
    root = vaulted.signed_under("root", 1).serial
    assert vaulted.world().above(vaulted.current("api")) == {root, signed(vaulted).serial}
    assert "certificate/api" in {use.address for use in uses(vaulted.world(), ("root", 1))}


@pytest.mark.parametrize("authority", ["services", "root"])
def test_what_vault_signed_is_replaced_before_its_ca_is_revoked(
    vaulted: Vaulted, authority: str
) -> None:
    vaulted.converge()
    before = vaulted.current("api").serial
    vaulted.wait(1).compromise(authority)
    plan = vaulted.plan()
    (issue,) = [s for s in plan.changes if s.address == "certificate/api" and s.action == "issue"]
    assert issue.reason is Reason.COMPROMISED
    install = named(plan, Action.INSTALL, "certificate/api@a")
    revoke = named(plan, Action.REVOKE, "authority/services")
    assert install.id in revoke.requires
    vaulted.converge()
    assert vaulted.current("api").serial != before
    vaulted.wait(1).converge()


def test_a_new_generation_alone_replaces_nothing_that_vault_signed(vaulted: Vaulted) -> None:
    vaulted.converge()
    before = vaulted.current("api").serial
    vaulted.cas["services"] = replace(vaulted.cas["services"], generation=2)
    vaulted.wait(1).converge()
    assert vaulted.current("api").serial == before


def test_what_vault_signed_falls_with_our_root_and_can_be_replaced(vaulted: Vaulted) -> None:
    vaulted.converge()
    fallen = impact(vaulted.desired(), vaulted.journal.state, "authority/services", vaulted.now)
    assert fallen is not None
    assert [each.address for each in fallen.authorities] == ["issuer/inside", "authority/services"]
    assert [(each.address, each.impediments) for each in fallen.certificates] == [
        ("certificate/api", ())
    ]
    whole = impact(vaulted.desired(), vaulted.journal.state, "", vaulted.now)
    assert whole is not None
    above = {each.line: each.above for each in whole.authorities}
    assert above["inside", 0] == ("services", 1)


def test_drift_tells_that_vault_was_not_handed_a_certificate(fleet: Fleet) -> None:
    refusing(fleet)
    fleet.apply()
    (row,) = drift(fleet.world(), fleet.plan()).differences
    assert (row.kind, row.address) == (Kind.PENDING, "mount/services-g1")
    assert row.found == "signed, and not yet handed over to Vault"


def test_nobody_is_spoken_to_before_that_was_reviewed(vaulted: Vaulted) -> None:
    vaulted.base = Fleet().desired()
    plan = vaulted.plan()
    for action, address in (
        (Action.ISSUE, "authority/services"),
        (Action.PUBLISH, "mount/services-g1"),
    ):
        assert "configure:custody/services" in named(plan, action, address).requires
    assert "configure:issuer/inside" in named(plan, Action.ISSUE, "certificate/api").requires
