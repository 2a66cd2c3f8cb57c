"""YAML as data, with the place of every node; what is refused is refused at its place."""

import random
import string
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.cyaml import CParser

from reconciler.load import yaml
from reconciler.load.yaml import Value, parse

Place = tuple[str | int, ...]
TEXT = """\
kind: Certificate
metadata: {name: one, labels: {a: b}}
spec:
  names:
    - x
    - y: [1, 0640, null, ~, "~", '']
      z:
  flow: [spiffe://a.b/c, arn:aws:iam::1:role/x]
---
second: true
"""


def test_the_parser_is_the_one_written_in_c() -> None:
    assert vars(yaml)["CParser"] is CParser
    assert CParser.__module__ == "yaml._yaml"


def test_scalars_are_their_source_text_and_only_plain_nulls_are_none() -> None:
    trees, failure = parse(TEXT)
    assert failure is None
    assert within(trees[0].data, "spec", "names") == (
        "x",
        {"y": ("1", "0640", None, None, "~", ""), "z": None},
    )
    assert within(trees[0].data, "spec", "flow") == ("spiffe://a.b/c", "arn:aws:iam::1:role/x")
    assert trees[1].data == {"second": "true"}


def within(value: Value, *path: str) -> Value:
    for key in path:
        assert isinstance(value, dict)
        value = value[key]
    return value


@pytest.mark.parametrize(
    ("path", "key", "place"),
    [
        ((), False, (1, 1)),
        (("kind",), False, (1, 7)),
        (("kind",), True, (1, 1)),
        (("metadata", "labels"), False, (2, 23)),
        (("metadata", "labels", "a"), False, (2, 35)),
        (("spec",), False, (3, 1)),
        (("spec", "names", 1), False, (6, 7)),
        (("spec", "names", 1, "y", 5), False, (6, 34)),
        (("spec", "names", 1, "z"), False, (7, 7)),
        (("spec", "names", 7), False, (4, 3)),
        (("spec", "nothing", "here"), False, (3, 1)),
        (("spec", "flow", 1), False, (8, 26)),
    ],
)
def test_every_node_has_its_place(path: Place, key: bool, place: tuple[int, int]) -> None:
    assert parse(TEXT)[0][0].locate(path, key=key) == place


REFUSED = {
    "anchors": ("a: &x 1", 1, 4, "&x is an anchor"),
    "aliases": ("a: *x", 1, 4, "*x is an alias"),
    "tags": ("a: !!python/object 1", 1, 4, "is a tag"),
    "tags on maps": ("a:\n  !foo {b: c}", 2, 3, "is a tag"),
    "merge keys": ("a: {}\n<<: {b: c}", 2, 1, "merge keys"),
    "repeated keys": ("a: 1\nb: 2\na: 3", 3, 1, '"a" is written twice'),
    "keys that are lists": ("? [a]\n: b", 1, 3, "a key must be text"),
    "keys without text": ("~: b", 1, 1, "a key must be text"),
    "escaped control characters": ('a: "x\\0y"', 1, 4, "control or direction"),
    "direction characters": ("a: \u202ex", 1, 4, "control or direction"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_nothing_clever_is_read(what: str) -> None:
    text, line, column, summary = REFUSED[what]
    (tree,), failure = parse(text)
    assert failure is None
    assert (tree.refusals[0].line, tree.refusals[0].column) == (line, column)
    assert summary in tree.refusals[0].summary


BROKEN = {
    "an unquoted wildcard": ('a:\n  - *.example.com"', 2, "quoted"),
    "an unquoted wildcard in a flow list": ("a: [*.example.com]", 1, "quoted"),
    "an open bracket": ("a: [b\n", 1, ""),
    "a tab": ("a:\n\tb: c", 2, "no tabs"),
    "NUL": ("a: b\nc: \x00", 2, ""),
    "ESC": ("a: b\n\nc: \x1b[0m", 3, ""),
    "brackets without end": ("[" * 100_000, 1, ""),
    "dashes without end": ("- " * 2_000 + "[", 1, ""),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_syntax_error_has_its_line(what: str) -> None:
    text, line, hint = BROKEN[what]
    failure = parse(text)[1]
    assert failure is not None
    assert failure.line == line
    assert hint in failure.hint


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_a_megabyte_of_nesting_is_refused_at_its_first_excess(opening: str) -> None:
    trees, failure = parse(opening * (1_000_000 // len(opening)))
    assert trees == ()
    assert failure is not None
    assert (failure.line, "nests deeper than 32" in failure.summary) == (1, True)


def test_the_places_of_all_items_are_found_in_one_pass() -> None:
    text = "a: {x: [1, 2]}\nspec:\n  items:\n    - {n: [a, b]}\n\n    - c\n    - d: e\n"
    tree = parse(text)[0][0]
    assert list(tree.locate_items(("spec", "items"))) == [(4, 7), (6, 7), (7, 7)]


def test_an_item_of_a_list_is_a_document_with_places_of_its_own() -> None:
    text = "a: {x: [1, 2]}\nitems:\n  - {n: [a, b], m: c}\n  - d: e\n    f: {g: h}\n"
    first, second = parse(text)[0][0].items(("items",))
    assert (first.data, first.locate(("m",))) == ({"n": ("a", "b"), "m": "c"}, (3, 20))
    assert second.locate(("f", "g")) == (5, 12)
    assert list(parse(text)[0][0].items(("absent",))) == []


def test_nesting_to_the_limit_is_read() -> None:
    text = "a: " + "[" * 31 + "]" * 31
    assert parse(text)[0][0].refusals == ()


@given(st.text(alphabet=string.printable + "é\u2028\x00&*!|>", max_size=200))
def test_no_text_makes_it_fall_over(text: str) -> None:
    parse(text)


def test_every_place_is_where_its_scalar_stands() -> None:
    """Random nested documents, each scalar unique: the place found holds that scalar's text."""
    random.seed(7)
    for _ in range(50):
        counter = iter(range(1000))
        text = "\n".join(_block(counter, 0))
        tree = parse(text)[0][0]
        lines = text.splitlines()
        for path, value in _scalars(tree.data, ()):
            line, column = tree.locate(path)
            assert lines[line - 1][column - 1 :].startswith(value)


def _block(counter: Iterator[int], depth: int) -> Iterator[str]:
    pad = "  " * depth
    for _ in range(random.randint(1, 4)):
        key = f"{pad}k{next(counter)}:"
        match random.randint(0, 3) if depth < 4 else 0:
            case 0:
                yield f"{key} v{next(counter)}"
            case 1:
                yield f"{key} [v{next(counter)}, {{f: v{next(counter)}, g: []}}, v{next(counter)}]"
            case 2:
                yield key
                yield f"{pad}  - v{next(counter)}"
                yield f"{pad}  - h: v{next(counter)}"
            case _:
                yield key
                yield from _block(counter, depth + 1)


def _scalars(node: Value, path: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(node, str):
        yield path, node
    items = node.items() if isinstance(node, dict) else enumerate(node or ())
    if not isinstance(node, str):
        for step, value in items:
            yield from _scalars(value, (*path, step))
