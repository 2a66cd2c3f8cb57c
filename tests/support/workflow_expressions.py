"""GitHub's expressions, as a runner evaluates them: what stands in `${{ }}` and in `if`.

https://docs.github.com/actions/reference/workflows-and-actions/expressions; the answers of GitHub's own
evaluator are in tests/golden/workflow/expressions.json, and are compared.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflow_values import (
    COMPARISONS,
    FUNCTIONS,
    Function,
    as_number,
    as_text,
    parsed_number,
    truth,
)

TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:Infinity|0x[0-9a-fA-F]+|0o[0-7]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)(?![\w.]))"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<mark>\|\||&&|==|!=|<=|>=|[!<>()\[\].,*]))"
)
EMBEDDED = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
STATUS = frozenset({"always", "success", "failure", "cancelled"})
LEVELS: tuple[tuple[str, ...], ...] = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))


class ExpressionError(Exception):
    """An expression that GitHub refuses."""


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
            return _constant(parsed_number(text))
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
        return _called(name, function, arguments)

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


def _called(name: str, function: Function, arguments: Sequence[Evaluate]) -> Evaluate:
    def call(scope: Scope) -> Any:
        values = [each(scope) for each in arguments]
        try:
            return function(*values)
        except (TypeError, ValueError, IndexError) as why:
            raise ExpressionError(f"{name}: {why}") from why

    return call


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
