"""OCSP of an Authority: what cannot be made is told at its line before anything is planned."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from reconciler.repository import Examination

PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: example}
spec:
  keyring: [{age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]
  publish: {to: {directory: /srv/pki}, baseURL: "http://pki.example.com"}
"""
CA = """\
kind: Authority
metadata: {name: asked}
spec:
  parentRef: root
  commonName: Example Asked
"""


def authority(*lines: str) -> dict[str, str]:
    text = CA + "".join(f"  {line}\n" for line in lines)
    return {"certform.yaml": PROJECT, "authorities/asked.yaml": text}


def told(found: Examination) -> list[tuple[str, str, str]]:
    return [(d.severity, d.summary, str(d.source)) for d in found.diagnostics]


def test_responses_live_four_days_unless_the_document_says_else(
    examined: Callable[..., Examination],
) -> None:
    found = examined(authority("ocsp: {}"))
    assert found.desired is not None, found.diagnostics
    asked = found.desired.authorities["asked"].ocsp
    assert asked is not None
    assert (asked.duration, asked.refresh_before) == (timedelta(days=4), None)
    assert found.desired.authorities["root"].ocsp is None


@pytest.mark.parametrize(
    ("line", "words", "at"),
    [
        ("ocsp: {duration: 2d, refreshBefore: 2d}", "shorter than the responses live (2d)", 6),
        ("ocsp: {duration: 2d, refreshBefore: 3d}", "shorter than the responses live (2d)", 6),
        ("ocsp: {}\n  privateKey: {custody: offline}", "it is not at hand here", 6),
    ],
)
def test_what_cannot_be_is_told_at_its_line(
    examined: Callable[..., Examination], line: str, words: str, at: int
) -> None:
    found = examined(authority(line))
    assert found.desired is None
    mine = [each for each in told(found) if words in each[1]]
    assert [each[2] for each in mine] == [f"authorities/asked.yaml:{at}"], told(found)


def test_who_publishes_nowhere_cannot_answer(examined: Callable[..., Examination]) -> None:
    files = authority("ocsp: {}")
    del files["certform.yaml"]
    found = examined(files)
    assert ("error", "ocsp needs a place to publish at", "authorities/asked.yaml:6") in told(found)


@pytest.mark.parametrize(
    ("duration", "warned"), [("8h", 0), ("10d", 0), ("7h59m", 1), ("10d1h", 1)]
)
def test_a_life_that_no_public_ca_may_give_is_a_warning(
    examined: Callable[..., Examination], duration: str, warned: int
) -> None:
    found = examined(authority(f"ocsp: {{duration: {duration}}}"))
    assert found.desired is not None, found.diagnostics
    assert [each[0] for each in told(found)] == ["warning"] * warned
