"""Colour is decided in one place."""

import pytest

from reconciler.cli.console import ColourOption, wants_colour

AUTO, ALWAYS, NEVER = ColourOption


@pytest.mark.parametrize(
    ("option", "environ", "terminal", "expected"),
    [
        (AUTO, {}, True, True),
        (AUTO, {}, False, False),
        (AUTO, {"TERM": "dumb"}, True, False),
        (AUTO, {"NO_COLOR": "1"}, True, False),
        (AUTO, {"NO_COLOR": "0"}, True, False),
        (AUTO, {"NO_COLOR": ""}, True, True),
        (AUTO, {"FORCE_COLOR": "1"}, False, True),
        (AUTO, {"CLICOLOR_FORCE": "1", "TERM": "dumb"}, False, True),
        (AUTO, {"FORCE_COLOR": "0"}, False, False),
        (AUTO, {"CLICOLOR_FORCE": ""}, False, False),
        (AUTO, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        (ALWAYS, {"NO_COLOR": "1"}, False, True),
        (NEVER, {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_the_option_beats_the_environment_and_that_the_terminal(
    option: ColourOption, environ: dict[str, str], *, terminal: bool, expected: bool
) -> None:
    assert wants_colour(option, environ, is_terminal=terminal) is expected
