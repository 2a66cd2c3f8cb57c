"""Findings are shown with the line they are on."""

import pytest

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.render.diagnostics import render_diagnostics, tally
from schemas.plan import Source

FILE = "kind: Certificate\nspec:\n  dnsNames:\n    - evil.example\n"


def at(line: int, column: int = 1, file: str = "web.yaml") -> Source:
    return Source(file=file, line=line, column=column)


def shown(*diagnostics: Diagnostic, text: str = FILE) -> str:
    return render_diagnostics(diagnostics, {"web.yaml": text}.get, colour=False)


def test_a_finding_says_what_where_and_what_next() -> None:
    finding = error(
        "evil.example is not permitted",
        at(4, 7),
        detail="services permits:\n- svc.internal",
        hint="ask another issuer",
    )
    assert shown(finding) == (
        "Error: evil.example is not permitted\n"
        "  on web.yaml:4:7\n"
        "    4 |     - evil.example\n"
        "      |       ^\n"
        "  services permits:\n"
        "  - svc.internal\n"
        "  hint: ask another issuer\n"
        "\n"
        "1 error\n"
    )


@pytest.mark.parametrize(
    "source", [None, at(99), at(0), at(1, file="gone.yaml")], ids=["none", "after", "zero", "file"]
)
def test_a_finding_without_a_line_to_show_is_still_shown(source: Source | None) -> None:
    text = shown(warning("odd", source))
    assert text.startswith("Warning: odd\n")
    assert text.endswith("1 warning\n")
    assert "^" not in text


@pytest.mark.parametrize(
    ("line", "column", "before"),
    [
        ("ab: \tx", 6, "ab:  "),
        ("名前: x", 5, "123456"),
        ("a\x1b: x", 5, r"a\x1b: "),
        ("é: x", 4, "é: "),
        ("x", 1, ""),
        ("x", 9, "x"),
    ],
)
def test_the_caret_stands_below_the_column(line: str, column: int, before: str) -> None:
    caret = shown(error("e", at(1, column)), text=line).split("\n")[3]
    assert caret == f"      | {' ' * len(before)}^"


def test_a_long_line_is_cut_around_its_column() -> None:
    line = "a" * 500 + "!" + "b" * 500
    _, _, excerpt, caret, *_ = shown(error("e", at(1, 501)), text=line).split("\n")
    assert len(excerpt) < 120
    assert excerpt[caret.index("^")] == "!"
    assert excerpt.count("…") == 2


@pytest.mark.parametrize("form", ["pin-value=2718", "pin-source=file:/2718"])
def test_a_pin_that_somebody_wrote_is_not_shown(form: str) -> None:
    line = f'  key: "pkcs11:token=ca;object=a?{form}"'
    assert "2718" not in shown(error("not so", at(1, 8)), text=line)


def test_counts_are_told_by_severity() -> None:
    findings = [error("a"), error("b"), error("c"), warning("d")]
    assert tally(findings) == "3 errors, 1 warning"
    assert shown(*findings).endswith("\n3 errors, 1 warning\n")


def test_no_finding_is_no_text() -> None:
    assert shown() == ""


def test_a_hostile_finding_commands_nobody(hostile_text: str) -> None:
    finding = error(
        hostile_text,
        at(2, 3, hostile_text),
        detail=f"::error::{hostile_text}\n::warning::b",
        hint="::set-output name=a::b",
    )
    text = render_diagnostics([finding], lambda _: f"a\n::error::{hostile_text}", colour=False)
    for line in text.splitlines():
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
        assert "##[" not in line


def test_each_file_is_asked_for_once() -> None:
    asked: list[str] = []

    def sources(file: str) -> str:
        asked.append(file)
        return FILE

    render_diagnostics([error("a", at(1)), error("b", at(2))], sources, colour=True)
    assert asked == ["web.yaml"]
