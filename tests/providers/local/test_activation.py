"""The consumer's commands: order, failure, output, environment."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from installing import MakeTarget, Wanted, listed

from providers.base import Bundle
from providers.errors import Denied, NotFound, Rejected
from providers.local import activation


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_check_comes_before_reload_and_both_run_in_the_root(
    make_target: MakeTarget,
    tmp_path: Path,
    wanted: Wanted,
) -> None:
    note = "open('notes', 'a').write({!r})"
    make_target(check=python(note.format("check ")), reload=python(note.format("reload "))).install(
        wanted()
    )
    assert (tmp_path / "notes").read_text() == "check reload "


def test_a_failed_check_stops_the_reload_and_brings_the_predecessor_back(
    make_target: MakeTarget,
    tmp_path: Path,
    wanted: Wanted,
) -> None:
    before = make_target().install(wanted())
    target = make_target(
        check=python("import sys; print('no good'); sys.exit(3)"),
        reload=python("open('reloaded', 'w')"),
    )
    with pytest.raises(Rejected, match=r"check .* ended with 3\n  no good"):
        target.install(wanted(predecessor=before))
    assert target.observe() == (before,)
    assert not (tmp_path / "reloaded").exists()


def test_a_first_install_that_is_refused_is_taken_away_again(
    make_target: MakeTarget, tmp_path: Path, wanted: Wanted
) -> None:
    target = make_target(reload=python("import sys; sys.exit(1)"))
    with pytest.raises(Rejected):
        target.install(wanted())
    assert target.observe() == ()
    assert make_target().install(wanted()).drift == ()


def test_only_the_last_lines_are_quoted_and_no_key_is(
    tmp_path: Path, bundle: Callable[..., Bundle]
) -> None:
    key = bundle().held_key.reveal().decode()
    secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQ"
    code = f"print(*range(100), sep='\\n'); print({key!r}, {secret!r}); raise SystemExit(1)"
    with pytest.raises(Rejected) as refusal:
        activation.run("check", python(code), tmp_path)
    text = str(refusal.value)
    assert "\n  99\n" in text
    assert "\n  50\n" not in text
    assert not any(line in text for line in key.splitlines())
    assert secret not in text


def test_a_key_that_is_cut_off_is_not_quoted_either(
    tmp_path: Path, bundle: Callable[..., Bundle]
) -> None:
    key = bundle().held_key.reveal().decode().partition("-----END")[0]
    with pytest.raises(Rejected) as refusal:
        activation.run("check", python(f"print({key!r}); raise SystemExit(1)"), tmp_path)
    assert key.splitlines()[1] not in str(refusal.value)


def test_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    code = "import sys; raise SystemExit(sys.argv[1] != '$(touch x); *')"
    activation.run("check", (*python(code), "$(touch x); *"), tmp_path)
    assert listed(tmp_path) == []


def test_credentials_are_not_passed_on_and_there_is_nothing_to_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOPS_AGE_KEY", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    code = (
        "import os, sys; raise SystemExit('secret' in os.environ.values() or "
        "'PATH' not in os.environ or sys.stdin.read() != '')"
    )
    activation.run("check", python(code), tmp_path)


def test_a_command_that_does_not_end_is_ended(tmp_path: Path) -> None:
    code = "import time; print('started', flush=True); time.sleep(60)"
    with pytest.raises(Rejected, match=r"did not end within 0 s\n  started"):
        activation.run("reload", python(code), tmp_path, timeout=0.49)


def test_a_daemon_that_is_left_behind_holds_nobody_up(tmp_path: Path) -> None:
    daemon = "import os, time; os.fork() or (os.setsid(), time.sleep(5))"
    activation.run("reload", python(daemon), tmp_path, timeout=4)


def test_a_program_that_cannot_be_started_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no-such-program"):
        activation.run("check", ("no-such-program",), tmp_path)
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    with pytest.raises(Denied):
        activation.run("check", (str(script),), tmp_path)
