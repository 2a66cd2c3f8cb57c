"""CertificateSet: one template and many items, each of which becomes a certificate of its own."""

import csv
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document
from reconciler.load.suggest import nearest
from reconciler.load.yaml import Step, Value
from reconciler.resolve.catalogue import Entry
from reconciler.resolve.drafts import Draft, Room, labels, section, weight
from schemas.certificate import CertificateSetSpec
from schemas.plan import Source

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a set: what fills the placeholders, and where it is written."""

    values: Mapping[str, str]
    source: Source


@dataclass(frozen=True, slots=True)
class Rendered:
    """A template with one item filled in; a word that came from the item is found at the item."""

    data: dict[str, Value]
    document: Document
    template: dict[str, Value]
    item: Source

    def at(self, *path: Step, key: bool = False) -> Source:
        """Return the item's place for what it filled in, the template's for the rest."""
        node: Value = self.template
        for step in path:
            node = child(node, step)
        if isinstance(node, str) and "{" in node:
            return self.item
        return self.document.at("spec", "template", *path, key=key)


def child(node: Value, step: Step) -> Value:
    """Return the value one step down, the node itself where there is none."""
    if isinstance(node, dict) and isinstance(step, str):
        return node.get(step, node)
    if isinstance(node, tuple) and isinstance(step, int) and step < len(node):
        return node[step]
    return node


def table_path(document: Document) -> str | None:
    """Return the path of a set's CSV file from the root; None without one or when it leaves."""
    name = section(document.data, "spec").get("csv")
    if not isinstance(name, str) or name.startswith("/"):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(document.file), name))
    return None if path.startswith("../") else path


def expand(
    entry: Entry[CertificateSetSpec], tables: Mapping[str, str | None], room: Room
) -> Iterator[Draft]:
    """Yield a draft for every item of a set."""
    document, found = entry.document, room.found
    template = _template(document)
    problems = list(_template_problems(template, document))
    items = list(_items(entry, tables, problems))
    problems += _unknown_keys(template, items, document)
    found += problems
    if problems:
        return
    room.take(_filled(template, items), document, "spec", "template")
    path = table_path(document)
    paths = (document.file, path) if path else (document.file,)
    for item in items:
        data = fill(template, item.values)
        if isinstance(data, dict):
            rendered = Rendered(data, document, template, item.source)
            yield Draft(data, (rendered,), item.source, paths)


def _filled(template: dict[str, Value], items: Sequence[Item]) -> int:
    """Return how much a template becomes that every item fills."""
    texts = (text for _, text in _texts(template, ()))
    uses = Counter(key for text in texts for key in _PLACEHOLDER.findall(text))
    values = (count * len(item.values[key]) for item in items for key, count in uses.items())
    return weight(template) * len(items) + sum(values)


def _template(document: Document) -> dict[str, Value]:
    written = section(section(document.data, "spec"), "template")
    metadata: dict[str, Value] = {"name": "{name}", **section(written, "metadata")}
    all_labels = labels(document.data) | section(metadata, "labels")
    if all_labels:
        metadata["labels"] = all_labels
    return {"kind": "Certificate", **written, "metadata": metadata}


def _template_problems(template: dict[str, Value], document: Document) -> Iterator[Diagnostic]:
    name = section(template, "metadata").get("name")
    if not (isinstance(name, str) and _PLACEHOLDER.search(name)):
        place = document.at("spec", "template", "metadata", "name")
        hint = "write something like {name}: each item needs a name of its own"
        yield error("the template's name has no placeholder", place, hint=hint)
    for path, text in _texts(template, ()):
        if "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
            place = document.at("spec", "template", *path)
            hint = "a placeholder is {key}; there is no other use of braces"
            yield error(f'"{text[:80]}" is not a template', place, hint=hint)


def _unknown_keys(
    template: dict[str, Value], items: list[Item], document: Document
) -> Iterator[Diagnostic]:
    wanted = {
        key: path for path, text in _texts(template, ()) for key in _PLACEHOLDER.findall(text)
    }
    for key, path in wanted.items():
        lacking = next((item for item in items if key not in item.values), None)
        if lacking is not None:
            place = document.at("spec", "template", *path)
            detail = f"The item at {lacking.source} has no {key}."
            hint = nearest(key, lacking.values)
            yield error(f"nothing fills {{{key}}} in", place, detail=detail, hint=hint)


def _texts(node: Value, path: tuple[Step, ...]) -> Iterator[tuple[tuple[Step, ...], str]]:
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, (*path, key))
    elif isinstance(node, tuple):
        for index, value in enumerate(node):
            yield from _texts(value, (*path, index))


def fill(node: Value, values: Mapping[str, str]) -> Value:
    """Return a template with its placeholders filled in, each exactly once."""
    if isinstance(node, str):
        if "{" not in node:
            return node
        return _PLACEHOLDER.sub(lambda match: values[match[1]], node)
    if isinstance(node, dict):
        return {key: fill(value, values) for key, value in node.items()}
    return tuple(fill(item, values) for item in node) if isinstance(node, tuple) else node


def _items(
    entry: Entry[CertificateSetSpec], tables: Mapping[str, str | None], found: list[Diagnostic]
) -> Iterator[Item]:
    spec, document = entry.spec, entry.document
    if (spec.items is None) == (spec.csv is None):
        found.append(error("spec must have either items or csv", document.at("spec")))
    elif spec.items is not None:
        places = document.tree.locate_items(("spec", "items"))
        for values, (line, column) in zip(spec.items, places, strict=True):
            yield Item(values, Source(file=document.file, line=line, column=column))
    else:
        yield from _rows(document, tables, found)


def _rows(
    document: Document, tables: Mapping[str, str | None], found: list[Diagnostic]
) -> Iterator[Item]:
    path = table_path(document)
    if path is None or path not in tables:
        hint = "the path starts at the document's folder and ends in .csv, inside the repository"
        summary = f"there is no CSV file {path or 'inside the repository'}"
        found.append(error(summary, document.at("spec", "csv"), hint=hint))
        return
    text = tables[path]
    if text is not None:
        yield from read_table(path, text, found)


def read_table(path: str, text: str, found: list[Diagnostic]) -> Iterator[Item]:
    """Yield a CSV file's rows by header (RFC 4180), each with the line it ends on."""
    rows = csv.reader(StringIO(text, newline=""), strict=True)
    try:
        header = [cell.strip() for cell in next(rows, [])]
        if header and len(set(header)) == len(header) and all(map(_KEY.fullmatch, header)):
            for row in rows:
                yield from _cells(header, row, Source(file=path, line=rows.line_num), found)
        else:
            hint = "name every column once, in letters, digits and underscores"
            summary = "the first line is not a header"
            found.append(error(summary, Source(file=path), hint=hint))
    except csv.Error as problem:
        place = Source(file=path, line=max(rows.line_num, 1))
        found.append(error(f"the line is not CSV: {problem}", place))


def _cells(
    header: list[str], row: list[str], source: Source, found: list[Diagnostic]
) -> Iterator[Item]:
    if len(row) == len(header):
        yield Item(dict(zip(header, (cell.strip() for cell in row), strict=True)), source)
    elif row:
        summary = f"the line has {len(row)} fields, the header {len(header)}"
        found.append(error(summary, source))
