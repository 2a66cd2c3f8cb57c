"""The local target's files: who may read them, what drift is seen, what is kept, what is refused."""

import json
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted, listed

from providers import x509
from providers.abilities import Staged
from providers.base import Bundle, Installed, InstallRequest
from providers.conformance import sound
from providers.errors import Conflict, Denied, NotFound, ProviderError, Rejected, Unreachable
from providers.local.directory import LocalDirectoryTarget
from providers.local.layout import MARKER
from providers.specimens import Specimens

PUBLIC = ("cert.pem", "chain.pem", "fullchain.pem", "trust.pem", "certform.json")


def switched(target: LocalDirectoryTarget, request: InstallRequest) -> Installed:
    return shown(target, staged(target, request))


def staged(target: LocalDirectoryTarget, request: InstallRequest) -> Staged:
    (made,) = target.stage([request])
    return sound(made, Staged)


def shown(target: LocalDirectoryTarget, what: Staged) -> Installed:
    (made,) = target.switch([what])
    return sound(made, Installed)


def only(target: LocalDirectoryTarget) -> Installed:
    (installed,) = target.observe()
    return installed


def generations(root: Path, name: str = "web") -> list[str]:
    return listed(root / name / "generations")


def test_the_files_are_certbots_and_hold_what_was_asked_for(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    request = wanted()
    target.install(request)
    current = root / "web" / "current"
    bundle = request.bundle
    assert str(current.readlink()) == "generations/0001"
    assert (current / "privkey.pem").read_bytes() == bundle.held_key.reveal()
    assert (current / "cert.pem").read_bytes() == bundle.certificate
    assert (current / "chain.pem").read_bytes() == b"".join(bundle.chain)
    assert (current / "fullchain.pem").read_bytes() == bundle.certificate + b"".join(bundle.chain)
    assert (current / "trust.pem").read_bytes() == b"".join(bundle.anchors)
    assert not (current / "combined.pem").exists()
    assert listed(root / "web") == ["current", "generations"]
    assert listed(root) == [MARKER, "web"]


def test_a_combined_file_is_written_where_asked_for(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    request = replace(wanted(), output_formats=("CombinedPEM",))
    target.install(request)
    bundle = request.bundle
    combined = root / "web" / "current" / "combined.pem"
    everything = (bundle.held_key.reveal(), bundle.certificate, *bundle.chain)
    assert combined.read_bytes() == b"".join(everything)
    assert stat.S_IMODE(combined.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o400])
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_only_the_key_is_closed_to_others_whatever_the_umask(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
    mode: int,
    umask: int,
) -> None:
    before = os.umask(umask)
    try:
        make_target(mode=mode).install(wanted())
    finally:
        os.umask(before)
    current = root / "web" / "current"
    assert stat.S_IMODE((current / "privkey.pem").stat().st_mode) == mode
    assert {stat.S_IMODE((current / name).stat().st_mode) & 0o444 for name in PUBLIC} == {0o444}
    for folder in (root / "web", root / "web" / "generations", current):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755


def test_files_get_the_configured_owner_and_group(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    target = make_target(owner="1234", group="5678")
    installed = target.install(wanted())
    status = (root / "web" / "current" / "privkey.pem").stat()
    assert (status.st_uid, status.st_gid) == (1234, 5678)
    assert (root / "web" / "current").stat().st_uid == 0
    assert target.observe() == (installed,)


@pytest.mark.parametrize("who", ["owner", "group"])
def test_an_unknown_user_or_group_is_named(
    make_target: MakeTarget, wanted: Wanted, who: str
) -> None:
    target = make_target(**{who: "no-such-name"})
    with pytest.raises(Denied, match="no-such-name: create it"):
        target.install(wanted())
    with pytest.raises(Unreachable, match="no-such-name"):
        target.observe()


def append(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"# touched\n")


def link_elsewhere(file: Path, to: str = "/etc/hostname") -> None:
    file.unlink()
    file.symlink_to(to)


def make_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def make_fifo(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DRIFT: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "a key others can read": (
        lambda current: (current / "privkey.pem").chmod(0o644),
        "privkey.pem has mode 0644, want 0600",
    ),
    "a public file nobody can read": (
        lambda current: (current / "cert.pem").chmod(0o600),
        "cert.pem has mode 0600, want 0644",
    ),
    "a changed certificate": (
        lambda current: append(current / "cert.pem"),
        "cert.pem was changed by hand",
    ),
    "a changed key": (
        lambda current: append(current / "privkey.pem"),
        "privkey.pem was changed by hand",
    ),
    "a missing file": (
        lambda current: (current / "chain.pem").unlink(),
        "chain.pem is missing",
    ),
    "a link in a file's place": (
        lambda current: link_elsewhere(current / "trust.pem"),
        "trust.pem is not a regular file",
    ),
    "a directory in a file's place": (
        lambda current: make_folder(current / "trust.pem"),
        "trust.pem is not a regular file",
    ),
    "a FIFO in a file's place": (
        lambda current: make_fifo(current / "trust.pem"),
        "trust.pem is not a regular file",
    ),
}


@pytest.mark.parametrize(("tamper", "words"), DRIFT.values(), ids=DRIFT.keys())
def test_drift_is_told_by_file_and_repaired_by_the_next_install(
    target: LocalDirectoryTarget,
    root: Path,
    wanted: Wanted,
    tamper: Callable[[Path], object],
    words: str,
) -> None:
    first = target.install(wanted())
    tamper(root / "web" / "current")
    drifted = only(target)
    assert drifted.drift == (words,)
    assert drifted.labels == first.labels
    repaired = target.install(wanted(predecessor=drifted))
    assert only(target) == repaired
    assert repaired.drift == ()


def test_a_drifted_object_is_repaired_with_the_same_certificate(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    request = wanted()
    target.install(request)
    (root / "web" / "current" / "privkey.pem").chmod(0o644)
    repaired = target.install(replace(request, predecessor=only(target)))
    assert only(target) == repaired
    assert stat.S_IMODE((root / "web/current/privkey.pem").stat().st_mode) == 0o600


BROKEN: Mapping[str, tuple[Callable[[Path], object], str]] = {
    "no current": (lambda web: (web / "current").unlink(), "current is missing"),
    "a current of somebody else's": (
        lambda web: link_elsewhere(web / "current", "/etc"),
        "current points at /etc",
    ),
    "a current that points at nothing": (
        lambda web: link_elsewhere(web / "current", "generations/0002"),
        "current points at nothing",
    ),
}


@pytest.mark.parametrize(("tamper", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_object_is_still_ours_and_is_repaired(
    target: LocalDirectoryTarget,
    root: Path,
    wanted: Wanted,
    tamper: Callable[[Path], object],
    words: str,
) -> None:
    target.install(wanted())
    tamper(root / "web")
    broken = only(target)
    assert broken.drift == (words,)
    assert broken.owned_by("conformance_0123456789abcdef")
    assert broken.sha256 is None
    made = staged(target, wanted(predecessor=broken))
    assert only(target).drift == (words,)
    shown(target, made)
    assert only(target).drift == ()


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b'{"format": 1, "files": 7}'])
def test_an_object_without_a_readable_manifest_is_foreign(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted, content: bytes
) -> None:
    target.install(wanted())
    (root / "web" / "current" / "certform.json").write_bytes(content)
    broken = only(target)
    assert broken.labels == {}
    assert broken.drift == ("certform.json is missing or damaged",)
    with pytest.raises(Conflict, match="not certform's"):
        target.remove(broken)


def test_another_certificate_put_there_by_hand_is_told(
    target: LocalDirectoryTarget,
    root: Path,
    wanted: Wanted,
    bundle: Callable[..., Bundle],
) -> None:
    target.install(wanted())
    other = bundle()
    (root / "web" / "current" / "cert.pem").write_bytes(other.certificate)
    assert only(target).sha256 == x509.facts(other.certificate).sha256


def test_observing_changes_nothing(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
) -> None:
    make_target().install(wanted())
    before = {path: path.lstat().st_ctime_ns for path in root.rglob("*")}
    make_target().observe()
    assert {path: path.lstat().st_ctime_ns for path in root.rglob("*")} == before


def test_a_directory_that_does_not_exist_or_is_empty_is_new(
    target: LocalDirectoryTarget, root: Path
) -> None:
    assert target.observe() == ()
    assert not root.exists()
    (root / "lost+found").mkdir(parents=True)
    assert target.observe() == ()
    with pytest.raises(Unreachable):
        target.confirm()


def test_the_first_install_marks_the_directory(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    target.install(wanted())
    target.confirm()
    assert json.loads((root / MARKER).read_text()) == {
        "format": 1,
        "owner": "conformance_0123456789abcdef",
        "target": "local",
    }


def test_an_unmarked_directory_that_holds_something_is_unreachable_and_untouched(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    root.mkdir()
    (root / "precious").write_text("mine")
    with pytest.raises(Unreachable, match=r"may not be mounted.*put back .certform-owner with: {"):
        target.observe()
    with pytest.raises(Unreachable):
        target.install(wanted())
    assert listed(root) == ["precious"]


def test_the_marker_may_be_put_back_as_the_message_says(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    installed = target.install(wanted())
    (root / MARKER).unlink()
    with pytest.raises(Unreachable) as refusal:
        target.observe()
    (root / MARKER).write_text(str(refusal.value).rpartition("with: ")[2])
    assert target.observe() == (installed,)


@pytest.mark.parametrize("other", [{"whose": "someone_else"}, {"name": "another"}])
def test_the_directory_of_another_owner_or_target_is_unreachable(
    make_target: MakeTarget, wanted: Wanted, other: dict[str, str]
) -> None:
    make_target().install(wanted())
    with pytest.raises(Unreachable, match="belongs to owner"):
        make_target(**other).observe()
    with pytest.raises(Unreachable):
        make_target(**other).install(wanted("mine"))


def test_old_keys_are_gone_after_settling_and_before_that_they_are_not(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
) -> None:
    target = make_target(keep_generations=1)
    first = target.install(wanted())
    second = switched(target, wanted(predecessor=first))
    assert generations(root) == ["0001", "0002"]
    target.settle([second])
    assert generations(root) == ["0002"]
    assert len(list(root.rglob("privkey.pem"))) == 1


@pytest.mark.parametrize("keep", [1, 2, 3, 5])
def test_as_many_generations_are_kept_as_the_target_says(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
    keep: int,
) -> None:
    target = make_target(keep_generations=keep)
    installed = None
    for number in range(1, 9):
        installed = target.install(wanted(predecessor=installed))
        newest = range(max(1, number - keep + 1), number + 1)
        assert generations(root) == [f"{each:04d}" for each in newest]


def test_what_a_dead_run_left_is_gone_after_the_next_change(
    make_target: MakeTarget,
    root: Path,
    wanted: Wanted,
) -> None:
    before = make_target().install(wanted())
    make_target().stage([wanted(predecessor=before), wanted("new")])
    assert len(make_target().observe()) == 1
    make_target().install(wanted("other"))
    assert listed(root) == [MARKER, "other", "web"]
    after = make_target().install(wanted(predecessor=before))
    assert make_target().observe()[1] == after
    assert generations(root) == ["0001", "0003"]


def test_a_change_between_stage_and_switch_is_a_conflict(
    target: LocalDirectoryTarget, wanted: Wanted
) -> None:
    first = target.install(wanted())
    late = staged(target, wanted(predecessor=first))
    later = switched(target, wanted(predecessor=first))
    target.settle([later])
    (result,) = target.switch([late])
    assert isinstance(result, ProviderError)
    assert only(target) == later


def test_one_name_twice_in_one_batch_is_refused(
    target: LocalDirectoryTarget, wanted: Wanted
) -> None:
    first, second = target.stage([wanted(), wanted()])
    assert isinstance(second, Conflict)
    shown(target, sound(first, Staged))


@pytest.mark.parametrize("name", ["..", "../web", "a/b", ".hidden", "", "Web", "a" * 64, "a\n"])
def test_a_name_that_leads_elsewhere_is_refused(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted, name: str
) -> None:
    with pytest.raises(Rejected, match="cannot be the name"):
        target.install(wanted(name))
    installed = target.install(wanted())
    with pytest.raises(Conflict):
        target.remove(replace(installed, name=name))
    assert only(target) == installed


def test_a_link_in_an_objects_place_is_never_followed(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted, tmp_path: Path
) -> None:
    target.install(wanted())
    elsewhere = tmp_path / "elsewhere"
    (root / "web").rename(elsewhere)
    (root / "web").symlink_to(elsewhere)
    found = only(target)
    assert found.labels == {}
    with pytest.raises(Conflict):
        target.remove(found)
    with pytest.raises(Conflict):
        target.install(wanted(predecessor=found))
    assert (elsewhere / "current" / "cert.pem").exists()


def test_generations_that_became_a_link_are_never_written_through(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted, tmp_path: Path
) -> None:
    target.install(wanted())
    elsewhere = tmp_path / "elsewhere"
    (root / "web" / "generations").rename(elsewhere)
    (root / "web" / "generations").symlink_to(elsewhere)
    with pytest.raises(ProviderError):
        target.install(wanted(predecessor=only(target)))
    assert listed(elsewhere) == ["0001"]


def test_what_is_relabelled_and_changed_meanwhile_is_a_conflict(
    target: LocalDirectoryTarget, wanted: Wanted
) -> None:
    first = target.install(wanted())
    target.install(wanted(predecessor=first))
    with pytest.raises(Conflict):
        target.restore(first)
    with pytest.raises(Conflict):
        target.settle([first])


@pytest.mark.parametrize("part", ["certificate", "chain", "anchors", "private_key"])
def test_a_bundle_that_does_not_hold_together_is_refused_in_its_place(
    target: LocalDirectoryTarget, wanted: Wanted, part: str
) -> None:
    stranger = Specimens.make(datetime.now(UTC)).bundle("www.example.com", datetime.now(UTC))
    good = wanted("good")
    mixed = replace(good.bundle, **{part: getattr(stranger, part)})
    bad, fine = target.stage([replace(wanted("bad"), bundle=mixed), good])
    assert isinstance(bad, Rejected)
    assert shown(target, sound(fine, Staged)).name == "good"


def test_a_full_target_is_removed_whole(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    installed = [target.install(wanted(name)) for name in ("a", "b", "c")]
    for each in installed:
        target.remove(each)
    assert listed(root) == [MARKER]


def test_a_missing_program_is_not_found_and_nothing_stays(
    make_target: MakeTarget, wanted: Wanted, root: Path
) -> None:
    with pytest.raises(NotFound, match="no-such-program"):
        make_target(check=("no-such-program",)).install(wanted())
    assert make_target().observe() == ()
    assert listed(root) == [MARKER]
