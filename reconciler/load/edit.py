"""The few edits certform makes to documents by itself, everything else in them left as it is."""

import io
from collections.abc import Mapping

from ruamel.yaml import YAML

SCHEMA_LINE = "# yaml-language-server: $schema=https://certform.dev/schemas/v1.json"


def add_public_key(text: str, public_key: str) -> str:
    """Return a Project document with `spec.ledger.publicKey` set; comments and layout are kept."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    documents = list(yaml.load_all(text))
    project = next(d for d in documents if d.get("kind") == "Project")
    project["spec"].setdefault("ledger", {})["publicKey"] = public_key
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def write_document(kind: str, name: str, spec: Mapping[str, object]) -> str:
    """Return a new document of ours as YAML, with the line that gives an editor its schema."""
    yaml = YAML()
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = io.StringIO()
    out.write(f"{SCHEMA_LINE}\n")
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in spec.items()}
    yaml.dump({"kind": kind, "metadata": {"name": name}, "spec": plain}, out)
    return out.getvalue()
