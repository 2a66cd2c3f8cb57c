"""How an apply is told: what became of each change, within what GitHub takes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.cli.app import Console
from reconciler.cli.console import ColourOption
from reconciler.cli.running import Account
from reconciler.errors import Incomplete, Interrupted, Locked, ReconcilerError, Refused
from reconciler.events import Event, EventStatus
from reconciler.github.history import Stretch
from reconciler.github.masking import secrets
from reconciler.github.outcome import Fate, Outcome, counts
from reconciler.github.report import CHECK_LIMIT, report, reviewed, status_lines, status_sentence
from reconciler.github.reviews import Reviewed, Reviews
from reconciler.github.run import PullRequest
from reconciler.github.waiting import Waiting
from reconciler.ledger.holder import Holder, this_process
from reconciler.reviewing import Refusal, Verdict
from schemas.plan import Action, Change, FieldChange, Plan, Reason

NOW = datetime(2026, 11, 27, tzinfo=UTC)
HOSTILE = "::error::`x` | <img src=x> @acme/all #1 --> \x1b[31m\n##[error]"


def change(name: str, action: Action = Action.ISSUE, reason: Reason = Reason.NOT_FOUND) -> Change:
    message = f"why {name}"
    return Change(address=f"certificate/{name}", action=action, reason=reason, message=message)


def account(
    changes: Sequence[Change],
    ends: Sequence[EventStatus] = (),
    refused: Sequence[Change] = (),
    code: int = 0,
) -> Account:
    plan = Plan(
        certform_version="1",
        project="pki",
        lineage="x",
        ledger_tip="x",
        created_at=NOW,
        changes=(*changes, *refused),
        digest="d",
    )
    events = [
        Event(step.address, step.action, status, "because")
        for step, status in zip(changes, ends, strict=False)
    ]
    verdict = Verdict(tuple(changes), tuple(Refusal(step, "not reviewed") for step in refused))
    return Account(plan, verdict, events, code)


def test_every_change_has_a_fate_the_worst_first() -> None:
    changes = [change(name) for name in ("done", "failed", "skipped", "cut", "left")]
    changes += [change("stuck", Action.BLOCKED, Reason.OCCUPIED)]
    changes += [change("later", Action.BLOCKED, Reason.PENDING)]
    ends = [EventStatus.DONE, EventStatus.FAILED, EventStatus.SKIPPED, EventStatus.STARTED]
    outcome = Outcome(account(changes, ends, [change("no")], 4))
    assert [(deed.change.address[12:], deed.fate) for deed in outcome.deeds] == [
        ("failed", Fate.FAILED),
        ("cut", Fate.FAILED),
        ("no", Fate.REFUSED),
        ("skipped", Fate.LEFT),
        ("left", Fate.LEFT),
        ("stuck", Fate.BLOCKED),
        ("later", Fate.UNDER_WAY),
        ("done", Fate.DONE),
    ]
    assert outcome.sentence == (
        "1 applied (1 issued), 2 failed, 1 refused, 2 not started, 1 blocked, 1 under way"
    )
    assert json.dumps(counts(outcome.done)) == '{"issue": 1}'


@pytest.mark.parametrize(
    ("failure", "code", "reason"),
    [
        (Locked("x"), 3, "locked"),
        (Refused("x"), 3, "refused"),
        (Incomplete("x"), 4, "partly-applied"),
        (Interrupted("x"), 130, "interrupted"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(2, "gone"), 1, "error"),
        (ValueError("a secret"), 1, "error"),
    ],
)
def test_what_stopped_a_run_says_how_it_ended(
    failure: BaseException, code: int, reason: str
) -> None:
    outcome = Outcome(Account(), failure=failure)
    assert (outcome.code, outcome.reason, outcome.applied) == (code, reason, False)
    text = report(outcome, "pki", CHECK_LIMIT)
    assert "nothing was applied" in text
    assert "**What to do next:**" in text
    assert "a secret" not in text


def test_a_report_says_how_many_it_leaves_out() -> None:
    many = [change(f"{'x' * 60}{number}") for number in range(3_000)]
    outcome = Outcome(account(many[:2_000], [EventStatus.DONE] * 2_000, many[2_000:], 3))
    text = report(outcome, "pki", CHECK_LIMIT)
    assert len(text.encode()) <= CHECK_LIMIT
    assert "2,000 applied (2,000 issued), 1,000 refused" in text
    assert " more** without a row here" in text
    (line,) = status_lines(outcome)
    assert line.startswith("<details><summary>1,000 changes refused</summary>")
    assert line.endswith(" more</li></ul></details>")


def test_nothing_that_others_wrote_is_markup() -> None:
    field = FieldChange(path=HOSTILE, before=HOSTILE, after=HOSTILE)
    evil = change("no").model_copy(
        update={"message": HOSTILE, "address": f"certificate/{HOSTILE}", "fields": (field,)}
    )
    failure = ReconcilerError(HOSTILE, detail=HOSTILE, hint=HOSTILE)
    outcome = Outcome(account([], refused=[evil], code=3), failure=failure)
    texts = [report(outcome, HOSTILE, CHECK_LIMIT), *status_lines(outcome)]
    for text in (*texts, status_sentence(outcome, "https://github.example/run")):
        for bad in ("<img", "@acme", "\x1b", "##[", "-->"):
            assert bad not in text


def test_what_was_reviewed_is_told() -> None:
    pulls = tuple(
        Reviewed(PullRequest(number, "a" * 40, "b" * 40, "main", foreign=False), found)
        for number, found in ((7, frozenset({"f"})), (8, None))
    )
    stretch = Stretch(("c" * 40,) * 100, beyond=True)
    assert list(reviewed(Reviews(stretch, pulls, ("c" * 40,)))) == [
        "#7, <code>aaaaaaaaaaaa</code>: its plan showed 1 change.",
        "#8, <code>aaaaaaaaaaaa</code>: no plan of it can be read, so that it approves nothing.",
        "1 commit came by no pull request, and had no review.",
        "None of 100 commits was applied; what is older was not looked at.",
    ]


def test_what_was_due_and_in_no_plan_is_told_apart() -> None:
    steps = [
        change(name).model_copy(update={"fingerprint": name}) for name in ("seen", "new", "due")
    ]
    steps = [step.model_copy(update={"due": step.fingerprint != "new"}) for step in steps]
    pull = PullRequest(7, "a" * 40, "b" * 40, "main", foreign=False)
    found = Reviews(Stretch(()), (Reviewed(pull, frozenset({"seen", "new"})),))
    outcome = Outcome(account(steps, [EventStatus.DONE] * 3), found)
    said = "1 of these was in no reviewed plan: time alone made it due."
    assert status_sentence(outcome, "URL") == f"in [this run](URL): 3 applied (3 issued). {said}"
    assert said in report(outcome, "pki", CHECK_LIMIT)
    assert "reviewed plan" not in status_sentence(Outcome(outcome.account), "URL")


def test_who_is_waited_for_is_said_once_in_a_while(capsys: pytest.CaptureFixture[str]) -> None:
    waiting = Waiting(Console(Path(), ColourOption.NEVER))
    holder = Holder(
        id="0123456789abcdef",
        process=this_process(),
        command="certform apply",
        acquired_at=NOW,
        ttl=300,
    )
    assert waiting.remark == ""
    for left in (600.0, 599.0, 598.0):
        waiting(holder, left)
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("The ledger is locked by `certform apply` (process ")
    assert ", since 2026-11-27 00:00:00Z). This run waits for 600 seconds more at most" in first
    assert second == "If that run is gone: certform unlock 0123456789abcdef"
    assert "<code>certform unlock 0123456789abcdef</code>" in waiting.remark


def test_secrets_are_known_by_their_variables() -> None:
    key = "# created: 2026\n# public key: age1abc\nAGE-SECRET-KEY-1ABC\n"
    environ = {
        "SOPS_AGE_KEY": key,
        "SOPS_AGE_KEY_FILE": "/home/ann/key.txt",
        "VAULT_TOKEN": "hvs.0123456789",
        "AWS_SESSION_TOKEN": "short",
        "PATH": "/usr/bin:/usr/local/bin",
    }
    assert list(secrets(environ)) == ["AGE-SECRET-KEY-1ABC", "hvs.0123456789"]
