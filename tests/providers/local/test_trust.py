"""Bundles of anchors in a directory: what lies there, what drift is seen, what is left when a run dies."""

import itertools
import os
import signal
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted, listed
from trusting import stranger

from providers import failpoints
from providers.abilities import HeldTrust, TrustRequest
from providers.anchors import by_fingerprint
from providers.conformance_trust import trusting
from providers.errors import Conflict, ProviderError, Rejected, Unreachable
from providers.local import trust
from providers.local.directory import LocalDirectoryTarget
from providers.local.layout import MARKER

NOW = datetime.now(UTC)
OLD, NEW = stranger("Old Root", NOW), stranger("New Root", NOW)
FILE = "corp/current/ca-certificates.pem"


def only(target: LocalDirectoryTarget) -> HeldTrust:
    (held,) = target.observe_trust()
    return held


def asked(*anchors: bytes, before: HeldTrust | None = None) -> TrustRequest:
    return trusting("corp", *anchors, predecessor=before)


def test_one_file_holds_every_anchor_and_everybody_may_read_it(
    make_target: MakeTarget, root: Path
) -> None:
    before = os.umask(0o077)
    try:
        make_target(mode=0o600).install_trust(asked(OLD, NEW))
    finally:
        os.umask(before)
    file = root / FILE
    assert file.read_bytes() == b"".join(by_fingerprint([OLD, NEW]).values())
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert listed(root / "corp") == ["current", "generations"]
    assert listed(root / "corp" / "current") == ["ca-certificates.pem", "certform.json"]
    assert listed(root) == [MARKER, "corp"]


def test_generations_are_kept_as_those_of_certificates(make_target: MakeTarget, root: Path) -> None:
    target, held = make_target(keep_generations=2), None
    for anchors in ((OLD,), (OLD, NEW), (NEW,)):
        held = target.install_trust(asked(*anchors, before=held))
    assert listed(root / "corp" / "generations") == ["0002", "0003"]
    assert held == only(target)


def put(content: bytes) -> Callable[[Path], None]:
    return lambda file: void(file.write_bytes(content))


def void(_: object) -> None:
    """Nobody asks what it was."""


@pytest.mark.parametrize(
    ("touch", "words"),
    [
        (put(OLD + NEW), "ca-certificates.pem was changed by hand"),
        (put(b""), "ca-certificates.pem was changed by hand"),
        (put(b"\xff" * 100), "ca-certificates.pem was changed by hand"),
        (Path.unlink, "ca-certificates.pem is missing"),
        (lambda file: file.chmod(0o666), "ca-certificates.pem has mode 0666, want 0644"),
        (
            lambda file: (file.unlink(), file.symlink_to("/etc/hostname")),
            "ca-certificates.pem is not a regular file",
        ),
        (
            lambda file: (file.parent / "certform.json").write_text("{}"),
            "certform.json is missing or damaged",
        ),
    ],
)
def test_what_was_touched_is_seen_and_put_right(
    target: LocalDirectoryTarget, root: Path, touch: Callable[[Path], object], words: str
) -> None:
    first = target.install_trust(asked(OLD))
    (root / FILE).parent.resolve()
    touch(root / FILE)
    spoilt = [held for held in target.observe_trust() if held.drift]
    if words.startswith("certform.json"):  # nothing tells any more whose it is
        assert spoilt == []
        assert [each.drift for each in target.observe()] == [(words,)]
        with pytest.raises(Conflict):
            target.install_trust(asked(OLD))
        return
    assert spoilt[0].drift == (words,)
    assert target.observe() == ()
    assert target.install_trust(asked(OLD, before=spoilt[0])) == first
    assert only(target) == first


def test_a_generation_that_is_left_tells_that_a_broken_bundle_is_ours(
    target: LocalDirectoryTarget, root: Path
) -> None:
    first = target.install_trust(asked(OLD))
    (root / "corp" / "current").unlink()
    broken = only(target)
    assert (broken.drift, broken.labels, broken.anchors) == (
        ("current is missing",),
        first.labels,
        {},
    )
    assert target.install_trust(asked(OLD, before=broken)) == first


def test_what_a_consumer_refuses_gives_way_to_what_was_there(
    make_target: MakeTarget, root: Path, tmp_path: Path
) -> None:
    first = make_target().install_trust(asked(OLD))
    (tmp_path / "reloads").touch()
    picky = make_target(check=("test", "!", "-e", f"tls/{FILE}"))
    with pytest.raises(Rejected, match="check"):
        picky.install_trust(asked(NEW, before=first))
    assert only(picky) == first
    assert listed(root / "corp") == ["current", "generations"]
    with pytest.raises(Rejected):
        picky.install_trust(trusting("more", NEW))
    assert listed(root) == [MARKER, "corp"]


def test_a_consumer_that_cannot_do_without_its_anchors_keeps_them(make_target: MakeTarget) -> None:
    first = make_target().install_trust(asked(OLD))
    needy = make_target(check=("test", "-e", f"tls/{FILE}"))
    with pytest.raises(Rejected, match="it is back"):
        needy.remove_trust(first)
    assert only(needy) == first


def test_a_consumer_is_told_once_of_what_comes_and_goes(
    make_target: MakeTarget, tmp_path: Path
) -> None:
    target = make_target(reload=("sh", "-c", "echo told >> told"))
    held = target.install_trust(asked(OLD))
    assert (tmp_path / "told").read_text() == "told\n"
    target.remove_trust(held)
    assert (tmp_path / "told").read_text() == "told\n" * 2


def test_somebody_elses_folder_is_left_alone(target: LocalDirectoryTarget, root: Path) -> None:
    target.install_trust(trusting("more", OLD))
    (root / "corp").mkdir()
    (root / "corp" / "theirs").write_text("theirs")
    with pytest.raises(Conflict, match="not certform's"):
        target.install_trust(asked(OLD))
    assert listed(root / "corp") == ["theirs"]


def test_another_owners_bundle_is_reported_and_not_touched(
    make_target: MakeTarget, root: Path
) -> None:
    held = make_target().install_trust(asked(OLD))
    manifest = root / "corp" / "current" / "certform.json"
    manifest.write_text(manifest.read_text().replace(held.labels["certform-owner"], "other_1"))
    theirs = only(make_target())
    assert not theirs.owned_by(held.labels["certform-owner"])
    for attempt in (
        lambda: make_target().remove_trust(theirs),
        lambda: make_target().install_trust(asked(NEW, before=theirs)),
    ):
        with pytest.raises(Conflict):
            attempt()


def test_anchors_that_fill_more_than_a_file_may_hold_are_refused(
    target: LocalDirectoryTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trust, "FILE_LIMIT", len(OLD) + 10)
    held = target.install_trust(asked(OLD))
    with pytest.raises(Rejected, match="1 MiB"):
        target.install_trust(asked(OLD, NEW, before=held))
    assert only(target) == held


def test_a_directory_that_was_emptied_is_not_taken_for_a_new_one(
    target: LocalDirectoryTarget, root: Path
) -> None:
    target.install_trust(asked(OLD))
    (root / MARKER).unlink()
    with pytest.raises(Unreachable):
        target.observe_trust()


def dies(at: int, step: Callable[[], object]) -> bool:
    """Run a step in a process of its own that is killed at the N-th point; tell whether it was."""
    child = os.fork()
    if child == 0:
        failpoints._FAILPOINT = failpoints._Failpoint("*", at, "kill", None, itertools.count(1))
        step()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFEXITED(status) or os.WTERMSIG(status) == signal.SIGKILL
    return os.WIFSIGNALED(status)


def sweep(make: Callable[[], Callable[[], object]], judge: Callable[[], None]) -> int:
    """Let a step die at each of its points in turn, from the same beginning; return how many there are."""
    for at in itertools.count(1):
        died = dies(at, make())
        judge()
        if not died:
            return at - 1
    return 0


def test_a_run_that_dies_leaves_whole_anchors_and_the_next_one_finishes(
    make_target: MakeTarget, root: Path
) -> None:
    old, new = by_fingerprint([OLD]), by_fingerprint([OLD, NEW])
    before = make_target(keep_generations=1).install_trust(asked(OLD))

    def begin() -> Callable[[], object]:
        target = make_target(keep_generations=1, reload=("true",))
        return lambda: target.install_trust(asked(OLD, NEW, before=before))

    def judge() -> None:
        nonlocal before
        held = only(make_target(keep_generations=1))
        assert (held.drift, held.anchors in (old, new)) == ((), True)
        assert (root / FILE).read_bytes() == b"".join(held.anchors.values())
        target = make_target(keep_generations=1)
        done = target.install_trust(asked(OLD, NEW, before=held))
        assert done.anchors == new
        assert len(listed(root / "corp" / "generations")) == 1
        before = target.install_trust(asked(OLD, before=done))

    assert sweep(begin, judge) >= 6


def test_a_removal_that_dies_is_undone_or_finished(make_target: MakeTarget, root: Path) -> None:
    held = make_target().install_trust(asked(OLD))

    def begin() -> Callable[[], object]:
        target = make_target(reload=("true",))
        return lambda: target.remove_trust(held)

    def judge() -> None:
        nonlocal held
        target = make_target()
        target.sweep()
        left = target.observe_trust()
        assert left in ((), (held,))
        for each in left:
            target.remove_trust(each)
        assert listed(root) == [MARKER]
        held = target.install_trust(asked(OLD))

    assert sweep(begin, judge) >= 3


def test_a_certificate_and_its_anchors_lie_side_by_side(
    target: LocalDirectoryTarget, wanted: Wanted
) -> None:
    installed = target.install(wanted())
    held = target.install_trust(asked(OLD))
    assert (target.observe(), target.observe_trust()) == ((installed,), (held,))
    with pytest.raises(ProviderError, match="bundle of trust anchors"):
        target.install(wanted("corp"))
    with pytest.raises(Conflict, match="holds a certificate"):
        target.install_trust(trusting("web", OLD))
