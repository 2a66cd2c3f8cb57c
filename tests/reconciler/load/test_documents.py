"""Many documents: several processes read them, and nobody can tell."""

import os

import pytest

from reconciler.load import documents as documents_module
from reconciler.load.documents import Document, read_documents
from reconciler.load.files import Files

_CERTIFICATE = "kind: Certificate\nmetadata: {name: %s}\nspec:\n  issuerRef: ca\n"
_TEXTS = {
    **{f"team/{n}.yaml": _CERTIFICATE % f"web-{n}" for n in range(9)},
    "team/4.yaml": "kind: Certificate\nmetadata: {name: web, name: twice}\nspec: {}\n",
    "team/7.yaml": "kind: [Certificate\nspec: {}\n# certform.dev/v1\n",
    "team/8.yaml": "apiVersion: apps/v1\nkind: Deployment\n",
}


@pytest.fixture
def _several_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "_LARGE", 0)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1, 2})


def told(document: Document) -> tuple[object, ...]:
    place = document.at("spec", "issuerRef")
    return document.file, document.kind, document.name, document.data, place


def test_all_are_found_in_order_with_their_places_and_what_is_wrong(
    request: pytest.FixtureRequest,
) -> None:
    files = Files(_TEXTS, {}, ())
    alone = read_documents(files)
    assert len(alone.documents) == 6
    assert len(alone.diagnostics) == 2
    assert alone.skipped == ("team/8.yaml",)
    request.getfixturevalue("_several_processes")
    shared = read_documents(files)
    assert [*map(told, shared.documents)] == [*map(told, alone.documents)]
    assert (shared.diagnostics, shared.skipped) == (alone.diagnostics, alone.skipped)
    assert all(document.data is document.tree.data for document in shared.documents)


@pytest.mark.usefixtures("_several_processes")
def test_too_many_are_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents_module, "MAX_DOCUMENTS", 4)
    texts = {path: text for path, text in _TEXTS.items() if "web-" in text}
    found = read_documents(Files(texts, {}, ())).diagnostics
    assert [finding.summary for finding in found] == ["there are more than 4 documents here"]
