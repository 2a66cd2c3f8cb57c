"""The runner of these tests evaluates expressions as GitHub's own evaluator does.

scripts/expressions asks that for the values in the golden file; node is not needed to compare.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from workflow_expressions import ExpressionError, Scope, condition, evaluated, expression
from workflow_values import as_text

GOLDEN = json.loads((Path(__file__).parents[1] / "golden/workflow/expressions.json").read_text())
SCOPE = Scope(GOLDEN["contexts"], {})


@pytest.mark.parametrize("source", GOLDEN["expressions"])
def test_an_expression_has_the_value_that_github_gives_it(source: str) -> None:
    wanted = GOLDEN["expressions"][source]
    if "error" in wanted:
        with pytest.raises(ExpressionError):
            expression(source, SCOPE)
        return
    assert as_text(expression(source, SCOPE)) == wanted["text"]
    assert expression(f"toJSON({source})", SCOPE) == wanted["json"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ github.event.pull_request.number }}", 7),
        ("  ${{ true }} ", True),
        ("#${{ github.event.pull_request.number }} by ${{ github.actor }}", "#7 by mona"),
        ("${{ '}}' }}", "}}"),
        ("${{ format('{0}}}', 1) }}!", "1}!"),
        ("$ {{ no expression }}", "$ {{ no expression }}"),
    ],
)
def test_a_text_holds_expressions(text: str, value: Any) -> None:
    assert evaluated(text, SCOPE) == value


def test_an_expression_that_is_not_closed_is_refused() -> None:
    with pytest.raises(ExpressionError, match="not closed"):
        evaluated("${{ github.ref", SCOPE)


@pytest.mark.parametrize(
    ("text", "after_success", "after_failure"),
    [
        ("true", True, False),
        ("github.actor == 'mona'", True, False),
        ("${{ github.actor == 'mona' }}", True, False),
        ("always()", True, True),
        ("always() && false", False, False),
        ("failure()", False, True),
        ("!cancelled()", True, True),
        ("success() || failure()", True, True),
        ("'failure()' == ''", False, False),
        ("Always()", True, True),
    ],
)
def test_an_if_asks_for_success_where_it_asks_nothing(
    text: str, *, after_success: bool, after_failure: bool
) -> None:
    for failed, wanted in ((False, after_success), (True, after_failure)):
        answers = {"always": True, "cancelled": False, "failure": failed, "success": not failed}
        status = {name: partial(bool, answer) for name, answer in answers.items()}
        assert condition(text, Scope(GOLDEN["contexts"], status)) is wanted
