"""Files that documents name by their path in the repository: certificates, CRLs, sealed secrets."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Document
from reconciler.load.trees import MAX_BYTES, Tree
from reconciler.load.yaml import Step, Value
from schemas.plan import Source

LIMIT = 1 << 26
"""Bytes of what a CA kept before: more than a CRL of a million entries."""
TOTAL = 1 << 27
"""Bytes of all that documents name: what is read anew for each of them counts each time."""
_LONGEST, _SHOWN = 1024, 200
"""Characters of a path that is looked at, and of one that is told."""
_PASSWORDS = tuple(
    ("targets", "*", "keystores", form, "passwordSecretRef", "name") for form in ("pkcs12", "jks")
)
_SOLVERS = ("acme", "solvers", "*", "dns01")
_FILES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "Certificate": _PASSWORDS,
    "Profile": _PASSWORDS,
    "CertificateSet": tuple(("template", "spec", *steps) for steps in _PASSWORDS),
    "Bundle": (("files", "*"),),
    "Issuer": (
        ("acme", "caBundle"),
        ("acme", "privateKeySecretRef", "name"),
        ("acme", "externalAccountBinding", "keySecretRef", "name"),
        (*_SOLVERS, "rfc2136", "tsigSecretRef", "name"),
        (*_SOLVERS, "lexicon", "secretRefs", "*", "name"),
        (*_SOLVERS, "*/*", "*SecretRef", "name"),
        ("vault", "caBundle"),
        ("vault", "auth", "tokenSecretRef", "name"),
        ("vault", "auth", "appRole", "secretRef", "name"),
    ),
    "Authority": (
        ("existing", "certificate"),
        ("existing", "crl"),
        ("existing", "index"),
        ("existing", "issued", "*"),
        ("existing", "custody", "sops"),
        ("existing", "custody", "pkcs11", "pinSecretRef", "name"),
        ("privateKey", "custody", "sops"),
        ("privateKey", "custody", "pkcs11", "pinSecretRef", "name"),
        ("privateKey", "custody", "vault", "caBundle"),
        ("privateKey", "custody", "vault", "auth", "tokenSecretRef", "name"),
        ("privateKey", "custody", "vault", "auth", "appRole", "secretRef", "name"),
    ),
}
"""The fields of a spec that name a file, by kind; a star stands for every item of a list or a mapping,
and within a name for any part of it."""
_LARGE = (("existing", "crl"), ("existing", "index"), ("existing", "issued"))
"""The fields whose files may be large."""
_ANEW = frozenset({"Authority", "Bundle"})
"""The kinds whose files are read for each document; a file of passwords is read once."""


@dataclass
class _Mentions:
    """Where a file is named first, how many bytes it may have, and how often it is read anew.

    `hint` says who makes it.
    """

    source: Source
    hint: str = ""
    limit: int = 0
    times: int = 1


def read_attachments(
    documents: Iterable[Document], tree: Tree, found: list[Diagnostic]
) -> Mapping[str, bytes]:
    """Return the content of every file that a document names; one that cannot be read is a finding."""
    sound = {
        path: mentions
        for path, mentions in _named(documents).items()
        if _is_inside(path, mentions.source, found)
    }
    limits = {path: mentions.limit for path, mentions in sorted(sound.items())}
    contents = tree.attachments(limits, TOTAL) if limits else {}
    read: dict[str, bytes] = {}
    left = TOTAL
    for name, mentions in sound.items():
        content = contents[name]
        if isinstance(content, str):
            said = f'"{name}" cannot be read: {content}'
            found.append(error(said, mentions.source, hint=mentions.hint))
            continue
        left -= len(content) * mentions.times
        if left < 0:
            found.append(_too_much(mentions.source))
            return {}
        read[name] = content
    return read


def _too_much(source: Source) -> Diagnostic:
    summary = f"the files that documents name have more than {TOTAL >> 20} MiB in all"
    return error(summary, source, hint="name fewer or smaller ones; each counts where it is named")


def _named(documents: Iterable[Document]) -> Mapping[str, _Mentions]:
    named: dict[str, _Mentions] = {}
    for document in documents:
        spec = document.data.get("spec")
        for steps in _FILES.get(document.kind, ()):
            if not isinstance(spec, dict) or steps[0] not in spec:
                continue  # most documents name no file
            for path, value in _values(spec, steps, ("spec",)):
                known = named.get(value)
                if known is None:
                    known = named[value] = _Mentions(document.at(*path), _maker(document, path))
                elif document.kind in _ANEW:
                    known.times += 1
                known.limit = max(known.limit, LIMIT if steps[:2] in _LARGE else MAX_BYTES)
    return named


def _maker(document: Document, path: tuple[Step, ...]) -> str:
    """Return in words which command makes a file of secrets that an Issuer names; nothing for other files."""
    if document.kind != "Issuer" or path[-1] != "name":
        return ""
    verb = "key" if "privateKeySecretRef" in path else "secrets"
    return f"`certform issuer {verb} {document.name}` makes it; or take another path"


def _values(
    node: Value, steps: tuple[str, ...], path: tuple[Step, ...]
) -> Iterator[tuple[tuple[Step, ...], str]]:
    """Yield the texts at the end of a path through a document, with where they are."""
    if not steps:
        if isinstance(node, str):
            yield path, node
    elif "*" in steps[0]:
        for index, item in _items(node, steps[0]):
            if len(steps) == 1 or isinstance(item, dict):  # most targets are a name alone
                yield from _values(item, steps[1:], (*path, index))
    elif isinstance(node, dict):
        yield from _values(node.get(steps[0]), steps[1:], (*path, steps[0]))


def _items(node: Value, names: str) -> Iterable[tuple[Step, Value]]:
    """Return the items of a list, or those of a mapping whose names are such."""
    if isinstance(node, tuple):
        return enumerate(node) if names == "*" else ()
    items = node.items() if isinstance(node, dict) else ()
    return (item for item in items if fnmatchcase(item[0], names))


def _is_inside(path: str, source: Source, found: list[Diagnostic]) -> bool:
    parts = PurePosixPath(path).parts if len(path) <= _LONGEST and path.isprintable() else ()
    if path.startswith("/") or not parts or any(part.startswith(".") for part in parts):
        hint = (
            "name it by its path from the repository's root, outside folders that begin with a dot"
        )
        summary = f'"{path[:_SHOWN]}" is not a file of the repository'
        found.append(error(summary, source, hint=hint))
        return False
    return True
