"""Makes text from outside safe to show: on a terminal, in a CI log, in Markdown."""

import re

ZERO_WIDTH = "&#8203;"
CUT = 300
"""The longest text shown in one Markdown cell, in characters; more is cut with an ellipsis."""

_ACTIVE = re.compile(r"[&<>|`*_~\[\]\\@#$]|:(?=//)")
_LINKS_ITSELF = re.compile(r"www\.", re.IGNORECASE)
_NUMBERED = re.compile(r"\b(GH-)(?=\d)", re.IGNORECASE)
"""`GH-1` is a reference as `#1` is."""
_ADDRESS = re.compile(r"&#64;(?=[\w-]+\.)")
"""What GitHub makes a link of where letters come before it, in code as well."""
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""What counts as printable, and is nothing to look at: fillers, and selectors of variants."""


def visible(text: str) -> str:
    r"""Return one line; what a terminal would obey or hide is spelt out, ESC as `\x1b`."""
    if text.isprintable() and (text.isascii() or not _UNSEEN.search(text)):
        return text
    return "".join(c if _is_seen(c) else c.encode("unicode_escape").decode() for c in text)


def _is_seen(character: str) -> bool:
    return character.isprintable() and not _UNSEEN.match(character)


def visible_lines(text: str) -> tuple[str, ...]:
    """Return a text of several lines, each made visible; tabs become spaces."""
    return tuple(visible(line.expandtabs(4)) for line in text.splitlines())


def flowing(text: str) -> str:
    """Return a text of several lines as one line, made visible."""
    return " ".join(visible_lines(text))


def inert(line: str) -> str:
    """Return a line that no GitHub runner takes for a command (`::` at its start, `##[` anywhere)."""
    line = line.replace("##[", "## [")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def prose(text: str) -> str:
    """Return text for running Markdown or a table cell, without markup, link, mention, reference."""
    escaped = _NUMBERED.sub(rf"\1{ZERO_WIDTH}", _entities(_cut(visible(text))))
    return escaped.replace("&#64;", "&#64;" + ZERO_WIDTH).replace("&#35;", "&#35;" + ZERO_WIDTH)


def code(text: str) -> str:
    """Return text as inline code for Markdown: HTML, since a backtick span cannot hold all text."""
    return f"<code>{_ADDRESS.sub('<wbr>&#64;', _entities(_cut(visible(text))))}</code>"


def fence(content: str, language: str) -> str:
    """Return a fenced block whose fence is longer than any run of backticks inside."""
    opening, ending = fenced(content, language)
    return f"{opening}\n{content}\n{ending}"


def fenced(content: str, language: str) -> tuple[str, str]:
    """Return the lines before and after a fenced block that holds content, or parts of it."""
    longest = max((len(run) for run in re.findall(r"`+", content)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}", ticks


def _cut(text: str) -> str:
    return text if len(text) <= CUT else text[: CUT - 1] + "…"


def _entities(text: str) -> str:
    escaped = _ACTIVE.sub(lambda match: f"&#{ord(match[0])};", text)
    return _LINKS_ITSELF.sub(lambda match: match[0][:-1] + "&#46;", escaped)
