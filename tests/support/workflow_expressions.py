"""GitHub's expressions, as a runner evaluates them: what stands in `${{ }}` and in `if`.

https://docs.github.com/actions/reference/workflows-and-actions/expressions; the answers of GitHub's own
evaluator are in tests/golden/workflow/expressions.json, and are compared.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:0x[0-9a-fA-F]+|0o[0-7]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(?![\w.]))"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<mark>\|\||&&|==|!=|<=|>=|[!<>()\[\].,*]))"
)
EMBEDDED = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
STATUS = frozenset({"always", "success", "failure", "cancelled"})
LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))


class ExpressionError(Exception):
    """An expression that GitHub refuses."""


Function = Callable[..., Any]
Evaluate = Callable[["Scope"], Any]


@dataclass(frozen=True)
class Scope:
    """The contexts an expression may name, and the status functions it may call."""

    contexts: Mapping[str, Any]
    functions: Mapping[str, Function]


class Exact(dict[str, Any]):
    """A context whose names are compared as they are written: `env`, outside of Windows."""


class Filtered(list[Any]):
    """What `*` selected."""


def evaluated(text: str, scope: Scope) -> Any:
    """Return the value of a template: of its expression, or the text with its expressions filled in."""
    if (whole := EMBEDDED.fullmatch(text.strip())) is not None:
        return expression(whole[1], scope)
    filled = EMBEDDED.sub(lambda found: as_text(expression(found[1], scope)), text)
    if "${{" in EMBEDDED.sub("", text):
        raise ExpressionError(f"an expression is not closed: {text}")
    return filled


def condition(text: str, scope: Scope) -> bool:
    """Return whether a step or job with this `if` runs: it asks for success where it asks nothing."""
    whole = EMBEDDED.fullmatch(text.strip())
    source = whole[1] if whole else text
    parsed = Parser(source, scope)
    wanted = parsed.parse()
    if not parsed.called & STATUS and not scope.functions["success"]():
        return False
    return truth(wanted(scope))


def expression(source: str, scope: Scope) -> Any:
    """Return the value of one expression."""
    return Parser(source, scope).parse()(scope)


class Parser:
    """Recursive descent; `called` are the functions that were met, in lower case."""

    def __init__(self, source: str, scope: Scope) -> None:
        self._source, self._scope = source, scope
        self._tokens = _tokens(source)
        self._at = 0
        self.called: set[str] = set()

    def parse(self) -> Evaluate:
        if not self._tokens:
            raise ExpressionError("an empty expression")
        found = self._level(0)
        if self._at != len(self._tokens):
            raise ExpressionError(f"unexpected {self._peek()[1]!r} in {self._source!r}")
        return found

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, *marks: str) -> str | None:
        kind, text = self._peek()
        if kind == "mark" and text in marks:
            self._at += 1
            return text
        return None

    def _need(self, mark: str) -> None:
        if self._take(mark) is None:
            raise ExpressionError(f"{mark} is missing in {self._source!r}")

    def _level(self, depth: int) -> Evaluate:
        if depth == len(LEVELS):
            return self._unary()
        left = self._level(depth + 1)
        while (mark := self._take(*LEVELS[depth])) is not None:
            left = _operation(mark, left, self._level(depth + 1))
        return left

    def _unary(self) -> Evaluate:
        if self._take("!"):
            operand = self._unary()
            return lambda scope: not truth(operand(scope))
        return self._trailing(self._primary())

    def _primary(self) -> Evaluate:
        kind, text = self._peek()
        self._at += 1
        if kind == "number":
            return _constant(_number(text))
        if kind == "text":
            return _constant(text[1:-1].replace("''", "'"))
        if kind == "name":
            return self._named(text)
        if (kind, text) == ("mark", "("):
            inner = self._level(0)
            self._need(")")
            return inner
        raise ExpressionError(f"unexpected {text!r} in {self._source!r}")

    def _named(self, name: str) -> Evaluate:
        if self._take("("):
            return self._call(name.lower())
        constants = {
            "true": True,
            "false": False,
            "null": None,
            "NaN": math.nan,
            "Infinity": math.inf,
        }
        if name in constants:
            return _constant(constants[name])
        known = {each.lower(): each for each in self._scope.contexts}
        if name.lower() not in known:
            raise ExpressionError(f"Unrecognized named-value: '{name}'")
        return lambda scope: scope.contexts[known[name.lower()]]

    def _call(self, name: str) -> Evaluate:
        function = FUNCTIONS.get(name) or self._scope.functions.get(name)
        if function is None:
            raise ExpressionError(f"Unrecognized function: '{name}'")
        self.called.add(name)
        arguments: list[Evaluate] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._level(0))
        return lambda scope: function(*(each(scope) for each in arguments))

    def _trailing(self, value: Evaluate) -> Evaluate:
        while (mark := self._take(".", "[")) is not None:
            if self._take("*"):
                value = _all_of(value)
            elif mark == ".":
                kind, name = self._peek()
                if kind != "name":
                    raise ExpressionError(f"a name is missing in {self._source!r}")
                self._at += 1
                value = _member(value, _constant(name))
            else:
                value = _member(value, self._level(0))
            if mark == "[":
                self._need("]")
        return value


def _tokens(source: str) -> Sequence[tuple[str, str]]:
    found, at = [], 0
    while source[at:].strip():
        token = TOKEN.match(source, at)
        if token is None or token.lastgroup is None:
            raise ExpressionError(f"unexpected symbol at {source[at:]!r}")
        found.append((token.lastgroup, token[token.lastgroup]))
        at = token.end()
    return found


def _constant(value: Any) -> Evaluate:
    return lambda _: value


def _operation(mark: str, left: Evaluate, right: Evaluate) -> Evaluate:
    if mark == "||":
        return lambda scope: value if truth(value := left(scope)) else right(scope)
    if mark == "&&":
        return lambda scope: right(scope) if truth(value := left(scope)) else value
    return lambda scope: COMPARISONS[mark](left(scope), right(scope))


def _member(value: Evaluate, key: Evaluate) -> Evaluate:
    def read(scope: Scope) -> Any:
        held, name = value(scope), key(scope)
        if isinstance(held, Filtered):
            found = (_of(each, name) for each in held)
            return Filtered(each for each in found if each is not None)
        return _of(held, name)

    return read


def _of(held: Any, name: Any) -> Any:
    if isinstance(held, Exact):
        return held.get(as_text(name))
    if isinstance(held, Mapping):
        wanted = as_text(name).lower()
        return next((value for key, value in held.items() if key.lower() == wanted), None)
    if isinstance(held, list):
        at = as_number(name)
        return held[int(at)] if at >= 0 and at < len(held) else None
    return None


def _all_of(value: Evaluate) -> Evaluate:
    def read(scope: Scope) -> Any:
        held = value(scope)
        each_of = held if isinstance(held, Filtered) else [held]
        found = Filtered()
        for each in each_of:
            if isinstance(each, Mapping):
                found.extend(each.values())
            elif isinstance(each, list):
                found.extend(each)
        return found

    return read


def truth(value: Any) -> bool:
    """Return whether a value counts as true."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value != 0 and not math.isnan(value)
    return isinstance(value, Mapping | list) or bool(value)


def as_text(value: Any) -> str:
    """Return a value as it is put into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _shown(value)
    if isinstance(value, str):
        return value
    return "Object" if isinstance(value, Mapping) else "Array"


def _shown(value: float) -> str:
    if math.isnan(value) or math.isinf(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    return "0" if value == 0 else f"{value:.15g}"


def as_number(value: Any) -> float:
    """Return a value as it is compared with a number."""
    if value is None:
        return 0
    if isinstance(value, bool | int | float):
        return float(value)
    if not isinstance(value, str):
        return math.nan
    return _number(value.strip()) if value.strip() else 0


def _number(text: str) -> float:
    try:
        if text[:2].lower() in ("0x", "0o"):
            return int(text, 0)
        return math.nan if "_" in text else float(text)
    except ValueError:
        return math.nan


def equal(left: Any, right: Any) -> bool:
    """Return whether two values are equal: texts in any case, others of two kinds as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.upper() == right.upper()
    if isinstance(left, Mapping | list) and isinstance(right, Mapping | list):
        return left is right
    return (left is None and right is None) or as_number(left) == as_number(right)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            return compare(left.upper(), right.upper())
        return compare(as_number(left), as_number(right))

    return compared


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    "<=": _ordered(lambda left, right: left <= right),
    ">": _ordered(lambda left, right: left > right),
    ">=": _ordered(lambda left, right: left >= right),
}


def _contains(where: Any, what: Any) -> bool:
    if isinstance(where, list):
        return any(equal(each, what) for each in where)
    if isinstance(where, Mapping) or isinstance(what, Mapping | list):
        return False
    return as_text(what).lower() in as_text(where).lower()


def _format(template: Any, *values: Any) -> str:
    def filled(found: "re.Match[str]") -> str:
        if found[0] in ("{{", "}}"):
            return found[0][0]
        if found[1] is None or int(found[1]) >= len(values):
            raise ExpressionError(f"the format string is invalid: {template}")
        return as_text(values[int(found[1])])

    return re.sub(r"\{\{|\}\}|\{(\d+)\}|[{}]", filled, as_text(template))


def _join(values: Any, separator: Any = ",") -> str:
    if not isinstance(values, list):
        return as_text(values)
    return as_text(separator).join(as_text(each) for each in values)


FUNCTIONS: Mapping[str, Function] = {
    "contains": _contains,
    "startswith": lambda text, start: as_text(text).lower().startswith(as_text(start).lower()),
    "endswith": lambda text, end: as_text(text).lower().endswith(as_text(end).lower()),
    "format": _format,
    "join": _join,
    "tojson": lambda value: json.dumps(value, indent=2, ensure_ascii=False),
    "fromjson": lambda text: json.loads(as_text(text)),
}
