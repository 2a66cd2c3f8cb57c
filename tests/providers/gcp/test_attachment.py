"""A certificate map serves every DNS name of a certificate, and never loses one on the way."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from certificate_manager_rig import OWNER_ID, PARENT, PROJECT, SOMEBODY, Rig, labels
from google.cloud import certificate_manager_v1 as api
from pydantic import ValidationError
from wire import Request, Response, Way

from providers.base import NAME, OWNER, Installed
from providers.errors import Ambiguous, Conflict, Denied, InUse, Rejected
from providers.gcp.entries import Entries
from providers.gcp.manager import CertificateManagerTarget

MAP = f"{PARENT}/certificateMaps/front"


@pytest.fixture
def target(rig: Rig) -> CertificateManagerTarget:
    return rig.target(certificateMap="front")


@pytest.fixture
def serving(rig: Rig) -> Callable[[], dict[str, list[str]]]:
    """Return the names of the certificates that each host name is served with."""

    def look() -> dict[str, list[str]]:
        return {
            each.hostname: [name.rsplit("/", 1)[1] for name in each.certificates]
            for each in rig.emulator.resources.values()
            if isinstance(each, api.CertificateMapEntry)
        }

    return look


def put_entry(rig: Rig, hostname: str, *certificates: str, owner: str | None = None) -> str:
    """Put an entry there that is somebody else's."""
    rig.emulator.resources.setdefault(MAP, api.CertificateMap(name=MAP))
    name = f"{MAP}/certificateMapEntries/manual-{hostname.replace('.', '-')}"
    rig.emulator.resources[name] = api.CertificateMapEntry(
        name=name,
        hostname=hostname,
        certificates=certificates,
        labels={OWNER: owner} if owner else {},
        state=api.ServingState.ACTIVE,
    )
    return name


def test_every_name_gets_an_entry_of_ours_in_a_map_that_is_made(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    installed = target.install(rig.request("web", rig.bundle("a.example.com", "*.example.com")))
    assert serving() == {"a.example.com": ["web"], "*.example.com": ["web"]}
    ours = [each for name, each in rig.emulator.resources.items() if name.startswith(MAP)]
    assert len(ours) == 3
    assert all(each.labels[OWNER] == OWNER_ID for each in ours)
    assert installed.used_by == ()  # our own entries go with it
    assert len(rig.target().inspect(installed).used_by) == 2
    assert list(target.observe()) == [installed]
    assert installed.incomplete == ()


def test_a_map_that_is_somebody_elses_is_used_and_not_labelled(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    rig.emulator.resources[MAP] = api.CertificateMap(name=MAP, labels={"team": "edge"})
    put_entry(rig, "other.example.com", f"{PARENT}/certificates/other")
    target.install(rig.request("web"))
    assert dict(rig.emulator.resources[MAP].labels) == {"team": "edge"}
    assert serving() == {"www.example.com": ["web"], "other.example.com": ["other"]}


def test_a_name_that_somebody_else_serves_is_a_conflict_that_names_the_entry(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    entry = put_entry(rig, "www.example.com", f"{PARENT}/certificates/other", owner=SOMEBODY)
    with pytest.raises(Conflict, match=r"manual-www-example-com serves www\.example\.com"):
        target.install(rig.request("web"))
    assert list(rig.emulator.resources[entry].certificates) == [f"{PARENT}/certificates/other"]
    (found,) = target.observe()
    assert found.incomplete == ("the certificate map does not serve it for www.example.com",)


def test_installing_again_writes_no_entry(rig: Rig, target: CertificateManagerTarget) -> None:
    wanted = rig.request("web")
    first = target.install(wanted)
    rig.emulator.wire.asked.clear()
    assert target.install(wanted) == first
    assert not [each for each in rig.asked() if "Map" in each and not each.startswith("Get")]


def test_a_renewal_looks_at_one_entry_for_each_name_and_writes_none(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    before = target.install(rig.request("web", rig.bundle("a.example.com", "b.example.com")))
    bundle = rig.bundle("a.example.com", "b.example.com")
    rig.emulator.wire.asked.clear()
    target.install(rig.request("web", bundle, before))
    looks = ["GetCertificate", "UpdateCertificate", "GetCertificate"]
    assert rig.asked() == [*looks, *["GetCertificateMapEntry"] * 2]


def test_names_that_a_certificate_loses_and_gains_follow(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    before = target.install(rig.request("web", rig.bundle("a.example.com", "b.example.com")))
    bundle = rig.bundle("b.example.com", "c.example.com")
    after = target.install(rig.request("web", bundle, before))
    assert serving() == {"b.example.com": ["web"], "c.example.com": ["web"]}
    assert list(target.observe()) == [after]


def test_names_that_are_missing_or_stay_behind_are_told_and_put_right_without_the_key(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    wanted = rig.request("web", rig.bundle("a.example.com", "b.example.com"))
    before = rig.target().install(wanted)
    entries = Entries(target._service(), OWNER_ID, MAP)
    target.install(rig.request("old", rig.bundle("c.example.com")))
    path = entries.named("c.example.com")
    rig.emulator.resources[path].certificates.append(before.id)
    (found,) = (each for each in target.observe() if each.name == "web")
    assert found.drift == ()
    assert found.incomplete == (
        "the certificate map does not serve it for a.example.com, b.example.com",
        "the certificate map still serves it for c.example.com",
    )
    rig.emulator.wire.asked.clear()
    keyless = replace(wanted, bundle=replace(wanted.bundle, private_key=None), predecessor=found)
    after = target.install(keyless)
    assert (after.sha256, after.incomplete) == (before.sha256, ())
    assert rig.asked("UpdateCertificate", "CreateCertificate") == []
    assert serving() == {
        "a.example.com": ["web"],
        "b.example.com": ["web"],
        "c.example.com": ["old"],
    }
    assert after in target.observe()


def test_another_certificate_is_not_installed_without_its_key(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    before = target.install(rig.request("web"))
    for predecessor, name in ((before, "web"), (None, "other")):
        wanted = rig.request(name, predecessor=predecessor)
        with pytest.raises(Rejected, match="makes no keys"):
            target.install(replace(wanted, bundle=replace(wanted.bundle, private_key=None)))
    assert list(target.observe()) == [before]


def test_a_certificate_that_only_has_other_labels_is_not_sent_again(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    wanted = rig.request("web")
    before = target.install(wanted)
    other = {**labels("web"), "team": "edge"}
    keyless = replace(wanted.bundle, private_key=None)
    after = target.install(replace(wanted, bundle=keyless, labels=other, predecessor=before))
    assert after.labels == other
    assert list(target.observe()) == [after]


def test_two_certificates_of_ours_serve_one_name_side_by_side(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    first, second = target.install(rig.request("ecdsa")), target.install(rig.request("rsa"))
    assert serving() == {"www.example.com": ["ecdsa", "rsa"]}
    assert [found.incomplete for found in target.observe()] == [(), ()]
    target.remove(target.inspect(first))
    assert serving() == {"www.example.com": ["rsa"]}
    target.remove(target.inspect(second))
    assert serving() == {}


def test_an_entry_takes_four_certificates(rig: Rig, target: CertificateManagerTarget) -> None:
    for number in range(4):
        target.install(rig.request(f"web-{number}"))
    with pytest.raises(Rejected, match="4 certificates"):
        target.install(rig.request("web-4"))


def superseded(rig: Rig, target: CertificateManagerTarget) -> Installed:
    """Install `web`, and let it be the superseded object of another certificate, `web-2`."""
    target.install(rig.request("web-2"))
    old = target.install(rig.request("web"))
    path = Entries(target._service(), OWNER_ID, MAP).named("www.example.com")
    rig.emulator.resources[path].certificates = [old.id]
    rig.resource("web").labels[NAME] = "web-2"
    return old


def test_the_new_one_is_attached_and_served_before_the_old_one_is_detached(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    superseded(rig, target)
    (found,) = [each for each in target.observe() if each.name == "web-2"]
    assert found.incomplete
    rig.emulator.wire.asked.clear()
    target.install(rig.request("web-2", predecessor=found))
    assert serving() == {"www.example.com": ["web-2"]}
    changes = rig.asked("UpdateCertificateMapEntry", "DeleteCertificateMapEntry")
    assert changes == ["UpdateCertificateMapEntry"] * 2


def test_the_old_one_stays_while_the_entry_is_not_served(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    superseded(rig, target)
    (found,) = [each for each in target.observe() if each.name == "web-2"]
    path = Entries(target._service(), OWNER_ID, MAP).named("www.example.com")
    rig.emulator.resources[path].state = api.ServingState.PENDING
    with pytest.raises(Ambiguous, match="not served"):
        target.install(rig.request("web-2", predecessor=found))
    assert serving() == {"www.example.com": ["web", "web-2"]}

    def become_active() -> None:
        rig.emulator.resources[path].state = api.ServingState.ACTIVE

    rig.clock.at_sleep = become_active
    target.install(rig.request("web-2", predecessor=target.inspect(found)))
    assert serving() == {"www.example.com": ["web-2"]}


def test_what_somebody_else_attached_to_our_entry_stays(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    installed = target.install(rig.request("web"))
    manual = rig.target().install(rig.request("manual"))
    del rig.resource("manual").labels[OWNER]
    path = Entries(target._service(), OWNER_ID, MAP).named("www.example.com")
    rig.emulator.resources[path].certificates.append(manual.id)
    target.install(rig.request("web", predecessor=target.inspect(installed)))
    assert serving() == {"www.example.com": ["web", "manual"]}


def test_a_removal_takes_our_entries_first_and_leaves_those_of_others(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    installed = target.install(rig.request("web"))
    rig.emulator.wire.asked.clear()
    rig.target().remove(installed)  # whatever map the settings name
    deletions = rig.asked("DeleteCertificateMapEntry", "DeleteCertificate")
    assert deletions == ["DeleteCertificateMapEntry", "DeleteCertificate"]
    assert serving() == {}
    assert MAP in rig.emulator.resources


def test_a_certificate_that_an_entry_of_others_needs_stays_with_our_entries(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    installed = target.install(rig.request("web"))
    put_entry(rig, "alias.example.com", installed.id)
    with pytest.raises(InUse, match="manual-alias-example-com"):
        target.remove(installed)
    assert serving() == {"www.example.com": ["web"], "alias.example.com": ["web"]}


def test_a_project_that_goes_by_its_number_is_the_same_project(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    rig.emulator.service.numbers = {PROJECT: 123456789}
    before = target.install(rig.request("web", rig.bundle("a.example.com", "b.example.com")))
    assert list(target.observe()) == [before]
    bundle = rig.bundle("b.example.com", "c.example.com")
    after = target.install(rig.request("web", bundle, before))
    assert serving() == {"b.example.com": ["web"], "c.example.com": ["web"]}
    beside = target.install(rig.request("rsa", rig.bundle("c.example.com")))
    assert list(target.observe()) == [beside, after]
    target.remove(after)
    assert serving() == {"c.example.com": ["rsa"]}


@pytest.mark.parametrize(
    "operation", ["CreateCertificateMap", "CreateCertificateMapEntry", "UpdateCertificateMapEntry"]
)
def test_what_was_not_answered_is_looked_for(
    rig: Rig,
    target: CertificateManagerTarget,
    serving: Callable[[], dict[str, list[str]]],
    operation: str,
) -> None:
    rig.emulator.wire.fail(operation, Way.UNANSWERED)
    target.install(rig.request("web"))
    target.install(rig.request("other"))
    assert serving() == {"www.example.com": ["web", "other"]}


@pytest.mark.parametrize(
    "operation", ["CreateCertificateMap", "CreateCertificateMapEntry", "GetCertificateMap"]
)
def test_a_run_that_breaks_off_is_seen_and_finished_by_the_next(
    rig: Rig, target: CertificateManagerTarget, operation: str
) -> None:
    rig.patience = 0.1
    wanted = rig.request("web")
    rig.emulator.wire.fail(operation, Way.REFUSED, Response(500), times=None)
    with pytest.raises(Ambiguous):
        rig.target(certificateMap="front").install(wanted)
    rig.emulator.wire.heal()
    (found,) = target.observe()
    assert found.incomplete
    finished = target.install(wanted)
    assert (finished.sha256, finished.incomplete) == (found.sha256, ())
    assert list(target.observe()) == [finished]


def test_the_permission_to_use_a_certificate_is_named(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    rig.emulator.service.denied.add("certificatemanager.certs.use")
    with pytest.raises(Denied, match=r"certificatemanager\.certs\.use"):
        target.install(rig.request("web"))


def test_a_map_of_a_region_is_refused_before_anything_is_asked(rig: Rig) -> None:
    with pytest.raises(ValidationError, match=r"maps in global only: give europe-west1 a Target"):
        rig.config(certificateMap="front", locations=("global", "europe-west1"))
    rig.config(certificateMap="front", locations=("global",))
    rig.config(trustConfig="clients", locations=("global", "europe-west1"))


def test_names_of_entries_fit_and_differ(rig: Rig) -> None:
    entries = Entries(rig.target()._service(), OWNER_ID, MAP)
    names = [f"{'a' * 60}.{'b' * 60}.example.com", f"{'a' * 60}.{'b' * 60}.example.net"]
    names += ["*.example.com", "example.com", "wildcard.example.com", "1.example.com"]
    paths = [entries.named(name).rsplit("/", 1)[1] for name in names]
    assert len(set(paths)) == len(names)
    assert max(map(len, paths)) <= 63


def test_what_comes_to_an_entry_while_others_are_detached_stays(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    installed = target.install(rig.request("web", rig.bundle("a.example.com", "b.example.com")))
    other = rig.target().install(rig.request("other"))
    entries = Entries(target._service(), OWNER_ID, MAP)
    serve = rig.emulator.wire.service

    def attach_meanwhile(request: Request) -> Response:
        if request.method == "DELETE":
            for name in ("a.example.com", "b.example.com"):
                entry = rig.emulator.resources[entries.named(name)]
                if entry.name != request.path.removeprefix("/v1/"):
                    entry.certificates = [installed.id, other.id]
            rig.emulator.wire.service = serve
        return serve(request)

    rig.emulator.wire.service = attach_meanwhile
    target.remove(installed)
    assert list(serving().values()) == [["other"]]


def test_a_certificate_that_is_replaced_while_it_is_detached_stays(
    rig: Rig, target: CertificateManagerTarget
) -> None:
    installed = target.install(rig.request("web"))
    theirs = rig.bundle()
    serve = rig.emulator.wire.service

    def replace_meanwhile(request: Request) -> Response:
        if request.method == "DELETE":
            rig.resource("web").pem_certificate = theirs.certificate.decode()
        return serve(request)

    rig.emulator.wire.service = replace_meanwhile
    with pytest.raises(Conflict, match="not what was observed"):
        target.remove(installed)
    assert rig.asked("DeleteCertificate") == []


def test_an_entry_under_our_name_for_another_host_is_not_taken_for_ours(
    rig: Rig, target: CertificateManagerTarget, serving: Callable[[], dict[str, list[str]]]
) -> None:
    target.install(rig.request("other", rig.bundle("other.example.com")))
    entries = Entries(target._service(), OWNER_ID, MAP)
    entry = rig.emulator.resources.pop(entries.named("other.example.com"))
    entry.name = entries.named("www.example.com")
    rig.emulator.resources[entry.name] = entry
    with pytest.raises(Conflict, match=r"the entry of other\.example\.com"):
        target.install(rig.request("web"))
    assert serving() == {"other.example.com": ["other"]}
