"""The trust boundary: whatever documents propose, only whom the base names is spoken to, and as it says."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from fleet import Fleet
from fleet_documents import HERE, Leaf
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.boundary import MOVED, NEW, UNTRUSTED, draw, unread_ledger, without
from reconciler.diff.connections import connection_changes
from reconciler.state import Assumed, Desired, DesiredTarget, Observation, nothing
from schemas.base import digest
from schemas.clouds import AwsAcm, AzureKeyVault, GcpCertificateManager
from schemas.project import LedgerSettings, PublishSettings, PublishTo
from schemas.target import LocalDirectory, Plugin, TargetSpec, Verify

KEY = f"ssh-ed25519 {'A' * 68}"
OTHER_KEY = f"ssh-ed25519 {'B' * 68}"
ROLES = [
    None,
    *(f"arn:aws:iam::{account}:role/{r}" for account in ("1" * 12, "2" * 12) for r in "xy"),
]
NAMES = ("a", "b", "c")
PLAIN = replace(Fleet(leaves={"web": Leaf()}).desired(), authorities={})

SPECS = st.one_of(
    st.builds(
        TargetSpec,
        local_directory=st.builds(
            LocalDirectory,
            path=st.sampled_from(["/tls", "tls", "/srv"]),
            hosts=st.sampled_from([(), ("web-1",), ("web-1", "web-2")]),
            group=st.sampled_from([None, "tls"]),
        ),
        check=st.sampled_from([None, ("nginx", "-t"), ("true",)]),
        reload=st.sampled_from([None, ("true",)]),
        verify=st.sampled_from([None, Verify(connect="localhost:443"), Verify(connect="b:1")]),
    ),
    st.builds(
        TargetSpec,
        aws_acm=st.builds(
            AwsAcm,
            regions=st.sampled_from([("eu-west-1",), ("us-east-1",)]),
            role=st.sampled_from(ROLES),
            external_id=st.sampled_from([None, "x"]),
        ),
        tags=st.sampled_from([{}, {"team": "edge"}]),
    ),
    st.builds(
        TargetSpec,
        azure_key_vault=st.builds(
            AzureKeyVault,
            vault=st.sampled_from(["kv-prod", "https://kv-prod.vault.azure.net", "kv-evil"]),
            tenant=st.sampled_from([None, "evil.example"]),
            verify_challenge_resource=st.booleans(),
        ),
    ),
    st.builds(
        TargetSpec,
        gcp_certificate_manager=st.builds(
            GcpCertificateManager,
            project=st.sampled_from(["some-project", "evil-project"]),
            endpoint=st.sampled_from([None, "https://evil.example"]),
            trust_config=st.sampled_from([None, "trust"]),
        ),
    ),
    st.builds(
        TargetSpec,
        plugin=st.builds(
            Plugin,
            kind=st.sampled_from(["example.com/box", "evil.example/box"]),
            settings=st.sampled_from([{}, {"address": "a"}, {"address": "evil"}]),
        ),
    ),
)
TARGETS = st.dictionaries(st.sampled_from(NAMES), SPECS)
LEDGERS = st.builds(
    LedgerSettings,
    branch=st.sampled_from(["certform/ledger", "evil"]),
    remote=st.sampled_from([None, "https://evil.example/x.git"]),
    public_key=st.sampled_from([KEY, OTHER_KEY]),
)
PUBLISHING = st.sampled_from(
    [
        None,
        *(
            PublishSettings(to=PublishTo(directory=d), base_url="http://pki.example.com")
            for d in ("public", "evil")
        ),
    ]
)


def documents(
    targets: Mapping[str, TargetSpec], ledger: LedgerSettings, publish: PublishSettings | None
) -> Desired:
    placed = {n: DesiredTarget(n, HERE, s, digest(s.to_json())) for n, s in targets.items()}
    return replace(PLAIN, targets=placed, ledger=ledger, publish=publish)


DOCUMENTS = st.builds(documents, TARGETS, LEDGERS, PUBLISHING)
unhurried = settings(deadline=None)


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_whatever_is_proposed_only_whom_the_base_names_is_spoken_to_as_it_says(
    desired: Desired, base: Desired
) -> None:
    drawn = draw(desired, base)
    assert drawn.ledger == base.ledger
    for name, target in drawn.reached.targets.items():
        assert target.spec.connection() == base.targets[name].spec.connection()
    for name in desired.targets.keys() - drawn.reached.targets.keys():
        assumed = drawn.assumed.targets[name]
        assert assumed == Observation(
            "observed", {}, MOVED if name in base.targets else NEW, assumed=True
        )
    publish = drawn.reached.publish
    assert publish is None or (base.publish and publish.to == base.publish.to)
    assert drawn.reached.certificates == desired.certificates


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_what_is_proposed_beside_who_is_spoken_to_counts(desired: Desired, base: Desired) -> None:
    for name, target in draw(desired, base).reached.targets.items():
        wanted = desired.targets[name].spec
        assert target.spec.reached_as(wanted) == wanted


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_once_it_is_approved_it_is_in_force(desired: Desired, base: Desired) -> None:
    approved = {step.fingerprint for step in connection_changes(desired, base)}
    drawn = draw(desired, base, approved)
    assert drawn == draw(desired, None)
    assert (drawn.reached, drawn.ledger, drawn.assumed) == (desired, desired.ledger, Assumed())


@unhurried
@given(DOCUMENTS, DOCUMENTS)
def test_what_was_approved_otherwise_is_not(desired: Desired, base: Desired) -> None:
    approved = {step.fingerprint for step in connection_changes(base, nothing(None))}
    changed = {c.address for c in connection_changes(desired, base)}
    drawn = draw(desired, base, approved)
    for name in desired.targets:
        if f"target/{name}" in changed and name in drawn.reached.targets:
            spoken_to = drawn.reached.targets[name].spec.connection()
            assert spoken_to == base.targets[name].spec.connection()


@unhurried
@given(DOCUMENTS)
def test_where_the_base_trusts_nobody_nobody_is_spoken_to(desired: Desired) -> None:
    unkeyed = LedgerSettings()
    for base in (nothing("0" * 40), replace(desired, ledger=unkeyed)):
        drawn = draw(desired, base)
        assert (drawn.ledger, drawn.assumed.published) == (None, {})
        assert drawn.reached.targets == {}
        assert {o.detail for o in drawn.assumed.targets.values()} <= {UNTRUSTED}


def test_a_target_in_a_second_region_is_not_looked_at_there() -> None:
    spec = TargetSpec(aws_acm=AwsAcm(regions=("eu-west-1", "us-east-1")))
    both = {f"acm{place}": each for place, each in spec.places().items()}
    settings = LedgerSettings(public_key=KEY)
    desired = documents(both, settings, None)
    base = documents({"acm/eu-west-1": both["acm/eu-west-1"]}, settings, None)
    drawn = draw(desired, base)
    assert list(drawn.reached.targets) == ["acm/eu-west-1"]
    assert drawn.assumed.targets["acm/us-east-1"].detail == NEW


def test_what_is_assumed_is_not_reached() -> None:
    desired = Fleet(leaves={"web": Leaf()}).desired()
    assumed = Assumed({"a": Observation("observed", assumed=True)})
    assert list(without(desired, assumed).targets) == ["b"]


@pytest.mark.parametrize("name", ["x", "a" * 60])
def test_the_ledger_that_nobody_may_read_is_nobodys_and_empty(name: str) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    ledger = unread_ledger(name, moment)
    assert (ledger.tip, ledger.tip_time) == ("", moment)
    assert (ledger.certificates, ledger.authorities, ledger.crls, ledger.bundles) == (
        {},
        {},
        {},
        frozenset(),
    )
