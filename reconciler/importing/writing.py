"""Documents as YAML, by the file of a repository each kind may stand in; nothing is ever written over."""

import io
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.importing.outcome import Draft, Outcome
from reconciler.load.edit import SCHEMA_LINE
from reconciler.render.escape import visible

_FOLDERS = {"Issuer": "config", "Target": "config", "Authority": "authorities"}
_ELSEWHERE = "certificates"
_FULL = 1 << 19
"""Characters of a file after which another one is begun: a file of a repository has a MiB at most."""


def files(outcome: Outcome) -> Mapping[str, bytes]:
    """Return everything that is to be written but sealed keys, by its path in a repository."""
    written: dict[str, bytes] = {}
    by_folder: dict[str, list[Draft]] = {}
    for draft in outcome.drafts:
        by_folder.setdefault(_FOLDERS.get(draft.kind, _ELSEWHERE), []).append(draft)
    for folder, drafts in sorted(by_folder.items()):
        for number, text in enumerate(_parts(drafts), 1):
            end = f"-{number}" if number > 1 else ""
            written[f"{folder}/{outcome.source}{end}.yaml"] = text.encode()
    return {**written, **outcome.files}


def as_stream(outcome: Outcome) -> str:
    """Return all documents as one YAML stream, each part under the name of its file."""
    texts = [
        f"# {path}\n{content.decode()}"
        for path, content in files(outcome).items()
        if path.endswith(".yaml")
    ]
    return "---\n".join(texts)


def _parts(drafts: Iterable[Draft]) -> Iterator[str]:
    out = io.StringIO()
    for draft in drafts:
        if out.tell() > _FULL:
            yield out.getvalue()
            out = io.StringIO()
        out.write("---\n" if out.tell() else f"{SCHEMA_LINE}\n")
        _dump(draft, out)
    yield out.getvalue()


def _dump(draft: Draft, out: io.StringIO) -> None:
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.width = 4096
    metadata: dict[str, Any] = {"name": draft.name}
    if draft.labels:
        metadata["labels"] = dict(draft.labels)
    document = CommentedMap(
        {"kind": draft.kind, "metadata": metadata, "spec": CommentedMap(_lists(draft.spec))}
    )
    if draft.remarks:
        told = "\n".join(visible(remark) for remark in draft.remarks)
        document.yaml_set_comment_before_after_key("spec", before=told)
    yaml.dump(document, out)


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, tuple) else value


def write(
    root: Path,
    contents: Mapping[str, bytes],
    private: frozenset[str] = frozenset(),
    hint: str = "write to another folder",
) -> None:
    """Write files below a folder, those in `private` for their owner alone.

    Raises `InvalidInput` with `hint`, before the first where one is there already, or the way to it leads
    through a link.
    """
    wrong = [why for path in contents for why in _in_the_way(root, path)]
    if wrong:
        raise InvalidInput([error(why, hint=hint) for why in dict.fromkeys(wrong)])
    for path, content in contents.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        mode = 0o600 if path in private else 0o666
        with os.fdopen(os.open(file, flags, mode), "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())


def _in_the_way(root: Path, path: str) -> Iterator[str]:
    steps = [root.joinpath(*Path(path).parts[: n + 1]) for n in range(len(Path(path).parts))]
    for step in (root, *steps[:-1]):
        if step.is_symlink() or (step.exists() and not step.is_dir()):
            yield f"{step} is no folder: links are not followed"
            return
    if steps[-1].exists() or steps[-1].is_symlink():
        yield f"{steps[-1]} is there already"
