"""Files that documents name by their path in the repository: certificates, CRLs, sealed secrets."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document
from reconciler.load.trees import Tree
from reconciler.load.yaml import Step, Value
from schemas.plan import Source

LIMIT = 1 << 26
"""Bytes: more than a CRL of a million entries."""
_PASSWORDS = tuple(
    ("targets", "*", "keystores", form, "passwordSecretRef", "name") for form in ("pkcs12", "jks")
)
_FILES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Certificate": _PASSWORDS,
    "Profile": _PASSWORDS,
    "CertificateSet": tuple(("template", "spec", *steps) for steps in _PASSWORDS),
    "Bundle": (("files", "*"),),
    "Authority": (
        ("existing", "certificate"),
        ("existing", "crl"),
        ("existing", "index"),
        ("existing", "issued", "*"),
        ("existing", "custody", "sops"),
        ("existing", "custody", "pkcs11", "pinSecretRef", "name"),
        ("privateKey", "custody", "sops"),
        ("privateKey", "custody", "pkcs11", "pinSecretRef", "name"),
    ),
}
"""The fields of a spec that name a file, by kind; a star stands for every item of a list."""


def read_attachments(
    documents: Iterable[Document], tree: Tree, found: list[Diagnostic]
) -> Mapping[str, bytes]:
    """Return the content of every file that a document names; one that cannot be read is a finding."""
    named: dict[str, Source] = {}
    for document in documents:
        for steps in _FILES.get(document.kind, ()):
            for path, value in _values(document.data.get("spec"), steps, ("spec",)):
                named.setdefault(value, document.at(*path))
    sound = {path: source for path, source in named.items() if _is_inside(path, source, found)}
    contents = tree.attachments(sorted(sound), LIMIT) if sound else {}
    read: dict[str, bytes] = {}
    for name, source in sound.items():
        content = contents[name]
        if isinstance(content, bytes):
            read[name] = content
        else:
            found.append(error(f'"{name}" cannot be read: {content}', source))
    return read


def _values(
    node: Value, steps: tuple[str, ...], path: tuple[Step, ...]
) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Yield the texts at the end of a path through a document, with where they are."""
    if not steps:
        if isinstance(node, str):
            yield path, node
    elif steps[0] == "*":
        for index, item in enumerate(node if isinstance(node, tuple) else ()):
            yield from _values(item, steps[1:], (*path, index))
    elif isinstance(node, dict):
        yield from _values(node.get(steps[0]), steps[1:], (*path, steps[0]))


def _is_inside(path: str, source: Source, found: list[Diagnostic]) -> bool:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or not parts or any(part.startswith(".") for part in parts):
        hint = (
            "name it by its path from the repository's root, outside folders that begin with a dot"
        )
        found.append(error(f'"{path}" is not a file of the repository', source, hint=hint))
        return False
    return True
