"""Serials between AWS's way to write them and certform's."""

import pytest

from providers.aws import serials


@pytest.mark.parametrize(
    ("serial", "theirs"), [("f1a", "0f:1a"), ("ab12cd", "ab:12:cd"), ("1", "00:01"), ("0", "00:00")]
)
def test_there_and_back(serial: str, theirs: str) -> None:
    assert serials.write(serial) == theirs
    assert serials.read(theirs) == serial


@pytest.mark.parametrize("odd", [None, "", "none"])
def test_what_is_no_serial_is_none(odd: str | None) -> None:
    assert serials.read(odd) is None
