"""Plans as text and Markdown, compared with what was read and found clear."""

import re
from collections.abc import Callable, Mapping

import pytest

from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from schemas.plan import Action, Change, Plan, Reason

Plans = Mapping[str, Callable[..., Plan]]
Golden = Callable[[str, str], None]


def test_text_is_what_was_reviewed(case: tuple[str, Plan], golden: Golden) -> None:
    name, plan = case
    golden(f"plan/{name}.txt", render_text(plan, colour=False))


def test_markdown_is_what_was_reviewed(case: tuple[str, Plan], golden: Golden) -> None:
    name, plan = case
    golden(f"plan/{name}.md", render_markdown(plan))


def test_json_is_stable_and_reads_back_as_the_same_plan(
    case: tuple[str, Plan], golden: Golden
) -> None:
    name, plan = case
    text = plan.model_dump_json(indent=2)
    golden(f"plan/{name}.json", text + "\n")
    assert Plan.model_validate_json(text) == plan


def test_colour_adds_colour_and_nothing_else(case: tuple[str, Plan]) -> None:
    _, plan = case
    coloured = render_text(plan, colour=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(plan, colour=False)
    assert "\x1b[1m" in coloured


def test_many_alike_are_told_in_full_first_and_then_in_a_line_each(plans: Plans) -> None:
    text = render_text(plans["bulk"](), colour=False)
    assert text.count('+ certificate "device-') == 50
    assert "1,950 more will be issued, a line each" in text
    assert "  + certificate/device-1999  device-1999.svc.example.internal  > nginx" in text
    assert len(set(re.findall(r"certificate/device-\d{4}", text))) == 2000


@pytest.mark.parametrize("limit", [4_000, 60_000, 65_536, 1 << 20])
def test_markdown_keeps_to_its_limit_and_counts_what_it_leaves_out(
    plans: Plans, limit: int
) -> None:
    markdown = render_markdown(plans["bulk"](), limit)
    rows = len(re.findall(r"^\| <code>", markdown, re.MULTILINE))
    assert len(markdown) <= limit
    assert rows > 0
    if limit < 200_000:
        assert f"**{2000 - rows:,} more** without a row here." in markdown
        assert "do not fit here" in markdown or "does not fit here" in markdown


def test_markdown_without_a_limit_has_everything(plans: Plans) -> None:
    markdown = render_markdown(plans["bulk"]())
    assert len(re.findall(r"^\| <code>", markdown, re.MULTILINE)) == 2000
    assert "fit here" not in markdown


@pytest.mark.parametrize("limit", range(1_500, 8_000, 500))
def test_a_cut_plan_still_closes_what_it_opens(plans: Plans, limit: int) -> None:
    markdown = render_markdown(plans["removals"](), limit)
    assert markdown.count("<details>") == markdown.count("</details>")
    assert markdown.count("```") % 2 == 0
    assert "cannot be undone" in markdown


def test_sources_become_links_when_it_is_known_where_files_are(plans: Plans) -> None:
    markdown = render_markdown(plans["renewals"](), blob_url="https://git.example/o/r/blob/abc")
    assert '<a href="https://git.example/o/r/blob/abc/teams/shop/orders.yaml#L3">' in markdown


@pytest.mark.parametrize(
    ("reason", "sign"),
    [
        (Reason.NOT_FOUND, "  + "),
        (Reason.RENEWING, "  ~ "),
        (Reason.EXPIRED, "  ~ "),
        (Reason.REQUESTED, "+/- "),
        (Reason.RESUMING, "  ~ "),
        (Reason.SPEC_CHANGED, "+/- "),
        (Reason.ISSUER_CHANGED, "+/- "),
        (Reason.KEY_UNAVAILABLE, "+/- "),
        (Reason.REVOKED, "+/- "),
    ],
)
def test_an_issue_is_marked_by_why_it_happens(plans: Plans, reason: Reason, sign: str) -> None:
    change = Change(address="certificate/a", action=Action.ISSUE, reason=reason, message="m")
    plan = plans["nothing"]().model_copy(update={"changes": (change,)})
    assert f'\n{sign}certificate "a"\n' in render_text(plan, colour=False)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("address", ["certificate/a", "authority/a@t", "publish", "", "a#b", "@"])
def test_any_action_on_any_address_can_be_shown(plans: Plans, action: Action, address: str) -> None:
    changes = tuple(
        Change(address=address, action=action, reason=reason, message="why") for reason in Reason
    )
    plan = plans["nothing"]().model_copy(update={"changes": changes})
    assert "why" in render_text(plan, colour=False)
    assert "why" in render_markdown(plan)


def test_fields_nobody_foresaw_are_shown(plans: Plans) -> None:
    change = Change(
        address="certificate/a@t",
        action=Action.INSTALL,
        reason=Reason.NOT_FOUND,
        message="m",
        before={"colour": {"shade": ["dark"]}},
        after={"tint": 7},
    )
    plan = plans["nothing"]().model_copy(update={"changes": (change,)})
    text = render_text(plan, colour=False)
    assert 'found colour.shade = ["dark"]' in text
    assert "tint               = 7" in text


def test_a_change_that_is_told_in_short_still_says_what_differs(plans: Plans) -> None:
    change = next(c for c in plans["replacement"]().changes if c.fields)
    changes = tuple(
        change.model_copy(update={"address": f"certificate/{number}"}) for number in range(51)
    )
    plan = plans["nothing"]().model_copy(update={"changes": changes})
    line = render_text(plan, colour=False).split("\n\n")[-2].splitlines()[1]
    assert line.startswith("+/- certificate/50  dnsNames: + img.example.com, - old.example.com; ")
    assert "privateKey: RSA 2048 → ECDSA 256" in line


def test_what_cannot_be_undone_is_the_last_to_be_cut(plans: Plans) -> None:
    changes = (*plans["bulk"]().changes, *plans["removals"]().changes)
    plan = plans["nothing"]().model_copy(update={"changes": changes})
    diff = render_markdown(plan, 10_000).partition("```diff\n")[2]
    assert diff.startswith("# certificate/leaked will be REVOKED (keyCompromise).")


def test_the_summary_leaves_zero_counts_out(plans: Plans) -> None:
    text = render_text(plans["renewals"](), colour=False)
    assert "\nPlan: 2 to renew, 4 to install, 1 CRL to publish.\n" in text
