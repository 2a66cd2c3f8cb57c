"""Who is spoken to: each change of it is shown, and everything that would be asked of others waits for it."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf, at

from reconciler.access import shut_keys
from reconciler.apply import apply
from reconciler.diff import diff
from reconciler.diff.connections import connection_changes
from reconciler.events import EventStatus
from reconciler.order import waves
from reconciler.state import Desired, DesiredIssuer, DesiredTarget, nothing
from schemas.clouds import AwsAcm
from schemas.custody import RemoteKey
from schemas.issuer import IssuerSpec
from schemas.plan import Action, Change, Reason
from schemas.project import LedgerSettings, PublishSettings, PublishTo
from schemas.target import LocalDirectory, TargetSpec

ROLE = "arn:aws:iam::111122223333:role/certform"
OTHER_ROLE = "arn:aws:iam::111122223333:role/other"
KMS = "arn:aws:kms:eu-west-1:111122223333:key/"
CA = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"


@pytest.fixture
def base() -> Desired:
    return Fleet(leaves={"web": Leaf()}).desired()


def acm(desired: Desired, role: str, external_id: str | None = None) -> Desired:
    """Let target `a` be in ACM, reached by a role."""
    settings = AwsAcm(regions=("eu-west-1",), role=role, external_id=external_id)
    target = DesiredTarget("a", HERE, TargetSpec(aws_acm=settings), "")
    return replace(desired, targets={**desired.targets, "a": target})


def kept(desired: Desired, custody: RemoteKey | None) -> Desired:
    """Let the key of the root be where it is said to be."""
    root = replace(desired.authorities["root"], custody=custody)
    return replace(desired, authorities={"root": root})


def asked(desired: Desired, role: str) -> Desired:
    """Let there be an Issuer that is asked as a role."""
    spec = IssuerSpec.model_validate({"aws-private-ca": {"arn": CA, "role": role}})
    return replace(desired, issuers={"pca": DesiredIssuer("pca", HERE, spec)})


def told(changes: Iterable[Change]) -> list[tuple[str, list[tuple[str, object, object]]]]:
    return [(c.address, [(f.path, f.before, f.after) for f in c.fields]) for c in changes]


def test_documents_that_say_the_same_change_nothing(base: Desired) -> None:
    assert list(connection_changes(base, base)) == []


def test_another_role_of_a_target_is_a_change(base: Desired) -> None:
    (found,) = connection_changes(acm(base, OTHER_ROLE), acm(base, ROLE))
    assert told([found]) == [("target/a", [("aws-acm.role", ROLE, OTHER_ROLE)])]
    assert (found.action, found.reason) == (Action.CONFIGURE, Reason.CONNECTION_CHANGED)
    assert (found.message, found.source) == ("aws-acm.role changed", HERE)


def test_a_new_target_is_a_change_with_all_that_it_says(base: Desired) -> None:
    without = replace(base, targets={"b": base.targets["b"]})
    (found,) = connection_changes(base, without)
    said = [("kind", None, "local-directory"), ("local-directory.path", None, "a")]
    assert told([found]) == [("target/a", said)]
    assert found.message == "new here"


def test_a_target_that_goes_is_no_change(base: Desired) -> None:
    assert list(connection_changes(replace(base, targets={}), base)) == []


def test_another_kind_of_place_is_a_change_of_everything(base: Desired) -> None:
    (found,) = connection_changes(acm(base, ROLE), base)
    assert dict((f.path, (f.before, f.after)) for f in found.fields) == {  # noqa: C402
        "kind": ("local-directory", "aws-acm"),
        "local-directory.path": ("a", None),
        "aws-acm.regions": (None, ["eu-west-1"]),
        "aws-acm.role": (None, ROLE),
    }


def test_who_an_issuer_asks_is_a_change(base: Desired) -> None:
    (found,) = connection_changes(asked(base, OTHER_ROLE), asked(base, ROLE))
    assert told([found]) == [("issuer/pca", [("aws-private-ca.role", ROLE, OTHER_ROLE)])]


def test_where_the_key_of_a_ca_is_asked_for_is_a_change(base: Desired) -> None:
    remote = RemoteKey.named(f"aws-kms:{KMS}1")
    (found,) = connection_changes(kept(base, remote), base)
    assert told([found]) == [
        ("custody/root", [("kind", None, "aws-kms"), ("aws-kms.key", None, f"{KMS}1")])
    ]
    (found,) = connection_changes(base, kept(base, remote))
    assert [(f.path, f.after) for f in found.fields] == [("kind", None), ("aws-kms.key", None)]


def test_where_the_ledger_is_and_what_is_published_where_are_changes(base: Desired) -> None:
    publish = PublishSettings(to=PublishTo(directory="other"), base_url="http://pki.example.com")
    ledger = LedgerSettings(remote="https://git.example/elsewhere.git")
    (found,) = connection_changes(replace(base, ledger=ledger, publish=publish), base)
    assert told([found]) == [
        (
            "project/example",
            [
                ("ledger.remote", None, "https://git.example/elsewhere.git"),
                ("publish.to.directory", "public", "other"),
            ],
        )
    ]
    assert str(found.source) == "certform.yaml:1"


def test_where_certificates_send_their_readers_is_a_change(base: Desired) -> None:
    assert base.publish is not None
    publish = base.publish.model_copy(update={"base_url": "http://evil.example"})
    (found,) = connection_changes(replace(base, publish=publish), base)
    said = ("publish.baseURL", "http://pki.example.com", "http://evil.example")
    assert told([found]) == [("project/example", [said])]


def test_a_password_in_an_address_is_not_shown(base: Desired) -> None:
    ledger = LedgerSettings(remote="https://me:s3cret@git.example/ledger.git")
    (found,) = connection_changes(replace(base, ledger=ledger), base)
    assert "s3cret" not in found.model_dump_json()
    assert [f.after for f in found.fields] == ["https://git.example/ledger.git"]


def test_where_nothing_is_trusted_everything_is_a_change(base: Desired) -> None:
    found = connection_changes(asked(base, ROLE), nothing("0" * 40))
    addresses = sorted(step.address for step in found)
    assert addresses == ["issuer/pca", "project/example", "target/a", "target/b"]


def test_two_changes_in_a_row_are_the_second_one_when_the_first_was_never_applied(
    base: Desired,
) -> None:
    first, second = acm(base, ROLE), acm(base, ROLE, external_id="x")
    (reviewed,) = connection_changes(second, first)
    (applied,) = connection_changes(second, base)
    assert reviewed.fingerprint == applied.fingerprint
    assert reviewed.fields != applied.fields
    (other,) = connection_changes(first, base)
    assert other.fingerprint != applied.fingerprint


def test_a_place_that_is_left_says_how_much_stays_there_and_what_to_do() -> None:
    fleet = Fleet(leaves={"web": Leaf(), "api": Leaf(names=("api.example.com",))}).converge()
    base = fleet.desired()
    moved = TargetSpec(local_directory=LocalDirectory(path="elsewhere"))
    target = replace(base.targets["a"], spec=moved)
    desired = replace(base, targets={**base.targets, "a": target})
    (found,) = connection_changes(desired, base, fleet.journal.state)
    assert "another place; 2 certificates stay installed at the old one" in found.message
    assert "keep a as it is, and give the certificates a new Target instead" in found.message
    (blind,) = connection_changes(desired, base)
    assert (blind.fingerprint, blind.message) == (found.fingerprint, "another place")


@pytest.fixture
def fleet() -> Fleet:
    """A certificate in two places, and a CA below the root; nothing is issued yet."""
    return Fleet(
        cas={"root": Ca(), "services": Ca(parent="root")},
        leaves={"web": Leaf(issuer="services", targets=at("a", "b"))},
    )


def required(steps: Iterable[Change]) -> dict[str, set[str]]:
    """What each change requires of who is spoken to."""
    kinds = ("configure:target/", "configure:custody/", "configure:project/", "configure:issuer/")
    return {s.id: {i for i in s.requires if i.startswith(kinds)} for s in steps}


def test_what_is_done_in_a_target_waits_until_it_is_settled_who_that_is(fleet: Fleet) -> None:
    world = fleet.world()
    base = replace(world.desired, targets={"b": world.desired.targets["b"]})
    found = required(diff(replace(world, base=base)))
    assert found["install:certificate/web@a"] == {"configure:target/a"}
    assert found["issue:certificate/web"] == {"configure:target/a"}
    assert found["install:certificate/web@b"] == set()
    assert found["issue:authority/root"] == set()


def test_what_a_ca_signs_waits_until_it_is_settled_who_has_its_key(fleet: Fleet) -> None:
    world, remote = fleet.world(), RemoteKey.named(f"aws-kms:{KMS}1")
    services = replace(world.desired.authorities["services"], custody=remote)
    desired = replace(
        world.desired, authorities={**world.desired.authorities, "services": services}
    )
    found = required(diff(replace(world, desired=desired, base=world.desired)))
    waiting = {id_ for id_, ids in found.items() if "configure:custody/services" in ids}
    assert waiting == {
        "issue:authority/services",
        "issue:certificate/web",
        "install:certificate/web@a",
        "install:certificate/web@b",
        "publish:crl/services-g1",
    }


def test_so_does_what_is_signed_ahead_or_across(fleet: Fleet) -> None:
    fleet.cas["root"] = Ca(generation=2, crossed=True, standby=True)
    fleet.converge().cas["root"] = Ca(generation=3, crossed=True, standby=True)
    world, remote = fleet.world(), RemoteKey.named(f"aws-kms:{KMS}1")
    root = replace(world.desired.authorities["root"], custody=remote)
    desired = replace(world.desired, authorities={**world.desired.authorities, "root": root})
    found = required(diff(replace(world, desired=desired, base=world.desired)))
    waiting = {id_ for id_, ids in found.items() if "configure:custody/root" in ids}
    assert {"issue:cross/root-g3", "issue:standby/root-g4"} <= waiting


def test_everything_waits_until_it_is_settled_where_the_ledger_is(fleet: Fleet) -> None:
    world = fleet.world()
    base = replace(world.desired, ledger=LedgerSettings(branch="elsewhere"))
    steps = diff(replace(world, base=base))
    found = required(steps)
    del found["configure:project/example"]
    assert found
    assert set(map(frozenset, found.values())) == {frozenset({"configure:project/example"})}


def test_it_is_settled_before_anybody_is_spoken_to(fleet: Fleet) -> None:
    world = fleet.world()
    ordered = waves(diff(replace(world, base=nothing(None))))
    first = {step.address for step in ordered[0]}
    assert {"project/example", "target/a", "target/b"} <= first
    position = {step.id: n for n, wave in enumerate(ordered) for step in wave}
    for wave in ordered:
        for step in wave:
            assert all(position[id_] < position[step.id] for id_ in step.requires), step.id


def test_to_take_note_of_it_needs_no_key(fleet: Fleet) -> None:
    world = fleet.converge().world()
    steps = diff(replace(world, base=nothing(None)))
    assert {step.address for step in steps} == {"project/example", "target/a", "target/b"}
    assert shut_keys(world, steps, held=()) == ()


def test_applying_it_does_nothing_but_say_that_it_was_reviewed(fleet: Fleet) -> None:
    session = fleet.converge().session()
    before = fleet.journal.state
    steps = diff(replace(session.world, base=nothing(None)))
    ended = [event for event in apply(session, steps) if event.final]
    assert [event.status for event in ended] == [EventStatus.DONE] * len(steps)
    assert fleet.journal.state == before
