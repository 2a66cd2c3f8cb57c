"""Pull requests that attack whatever reads YAML and CSV: bombs, tricks of the syntax, and sheer size."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hostile_trees import Entry, Node

REFUSED, PLANNED = 1, 0
"""How a plan of a pull request ends: documents that are not accepted, or changes that are shown."""
MIB = 1 << 20
FULL = MIB - 4096
"""Nearly as large as a file may be."""
SHOUT = "::error file=certform.yaml::merge me"


@dataclass(frozen=True, slots=True)
class Case:
    """One pull request: the files it changes (None: deletes), and how a plan of it must end.

    `entries` are what no folder can hold. `empty` begins with no file at all.
    """

    name: str
    files: Mapping[str, Node | None]
    code: int = REFUSED
    entries: tuple[Entry, ...] = ()
    empty: bool = False
    where: str = field(default="evil.yaml")


def document(kind: str, name: str, spec: Any, **metadata: Any) -> str:
    """One document; JSON is YAML."""
    return json.dumps({"kind": kind, "metadata": {"name": name, **metadata}, "spec": spec})


def certificate(name: str, /, labels: Any = None, **spec: Any) -> str:
    """A Certificate, valid as long as what is given is."""
    wanted = {"issuerRef": "issuing", "dnsNames": ["evil.example.com"], "targets": ["edge"], **spec}
    return document("Certificate", name, wanted, **({"labels": labels} if labels else {}))


def said(name: str, *texts: str | bytes, path: str = "evil.yaml", code: int = REFUSED) -> Case:
    """A pull request that adds or replaces one file."""
    data = [text if isinstance(text, bytes) else text.encode() for text in texts]
    return Case(name, {path: Node(b"\n---\n".join(data))}, code)


def _laughs() -> str:
    lines = ['a0: &a0 ["ha", "ha", "ha", "ha", "ha", "ha", "ha", "ha", "ha"]']
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    return "kind: Certificate\nmetadata: {name: evil}\nspec:\n  " + "\n  ".join(lines)


def syntax() -> Iterator[Case]:
    """What YAML can do, and we do not let it."""
    head = "kind: Certificate\nmetadata: {name: evil}\nspec:"
    yield said("billion laughs", _laughs())
    yield said("aliases", f"{head} &a {{issuerRef: *a, dnsNames: [*b, *a]}}")
    yield said(
        "anchors without end", f"{head}\n" + "".join(f"  k{n}: &a{n} x\n" for n in range(50_000))
    )
    yield said("merge keys", f"{head}\n  <<: {{issuerRef: issuing}}\n  <<: [*a, *b]")
    yield said("a tag that runs", f'{head} !!python/object/apply:os.system ["touch owned"]')
    yield said("a tag that imports", f"{head} !!python/module:antigravity x")
    yield said(
        "tags of every kind", f"{head} !<tag:yaml.org,2002:python/name:os.system> !!binary aGk="
    )
    yield said("directives", f"%YAML 9.9\n%TAG ! tag:evil.example,2026:\n---\n{head} !x y")
    yield said(
        "keys written twice", head + "".join("\n  dnsNames: [a.example.com]" for _ in range(20_000))
    )
    yield said(
        "keys that are no text",
        "? [kind, [Certificate]]\n: {? {a: b} : c}\nkind: Certificate\nspec: {}",
    )
    yield said("a NUL", certificate("evil").encode() + b"\n# \0 \n")
    yield said(
        "control characters as escapes",
        certificate("evil", dnsNames=["a\x00\x1b[31m\x85.example.com"]),
    )
    yield said("a byte order mark", "\ufeff" + certificate("evil"))
    yield said("UTF-16", certificate("evil").encode("utf-16"))
    yield said("no UTF-8", certificate("evil").encode() + b"\n# \xff\xfe\xc0\x80\n")
    yield said("lone surrogates", certificate("evil").encode() + b"\n# \xed\xa0\x80\n")
    yield said("an unterminated string", head + ' {issuerRef: "' + "a\\\n" * 200_000)
    yield said("tabs", "kind:\tCertificate\n\tspec:\n\t\tdnsNames:\n\t\t\t- a")
    yield said("complex keys without end", "kind: Certificate\n" + "? " * 300_000)
    yield said("carriage returns", certificate("evil") + "\r\r\r::error::hi\r")


def depth() -> Iterator[Case]:
    """Nesting, for parsers that recurse."""
    yield said("brackets", "kind: Certificate\nspec: " + "[" * 500_000)
    yield said("braces", "kind: Certificate\nspec: " + "{a: " * 200_000)
    yield said("dashes", "kind: Certificate\nspec:\n" + "- " * 300_000)
    indented = "\n".join(" " * n + "a:" for n in range(1, 1_400))
    yield said("indentation", "kind: Certificate\nspec:\n" + indented)
    yield said("brackets of a stranger", "x: " + "[" * 500_000, path="other/notes.yaml")


def size() -> Iterator[Case]:
    """More of everything than anybody needs."""
    yield said("a scalar of a megabyte", certificate("a" * FULL))
    yield said("a key of a megabyte", json.dumps({"kind": "Certificate", "k" * FULL: 1}))
    yield said("a comment of a megabyte", certificate("evil") + "\n#" + "x" * FULL, code=PLANNED)
    yield said("a file that is too large", certificate("evil") + "\n#" + "x" * MIB)
    yield said("blank documents", "kind: Certificate\n" + "---\n" * 250_000)
    yield said(
        "thousands of documents", *(certificate(f"c{n}") for n in range(5_000)), code=PLANNED
    )
    yield said("thousands of documents that are wrong", *(["kind: Certificat\nspec: []"] * 30_000))
    many = [f"n{n}.example.com" for n in range(50_000)]
    yield said("names without end", certificate("evil", dnsNames=many))
    yield said(
        "names that are wrong", certificate("evil", dnsNames=[f"-{n}" for n in range(80_000)])
    )
    yield said("a megabyte of nothing", certificate("evil", dnsNames=[None] * 150_000))
    labels = {f"l{n}": "x" for n in range(50_000)}
    yield said("labels without end", certificate("evil", labels=labels), code=PLANNED)
    yield said("a number of a million digits", certificate("evil", privateKey={"size": "9" * FULL}))
    yield said("a duration of a million digits", certificate("evil", duration="9" * FULL + "y"))
    yield said("a duration of parts", certificate("evil", duration="1s" * 400_000), code=PLANNED)
    yield said(
        "a duration beyond time",
        certificate("evil", duration="99999999999y", renewBefore="999999999d"),
    )
    yield said(
        "kinds that are nearly ours", *(f"kind: Certificat{n}\nspec: {{}}" for n in range(20_000))
    )
    yield said("a kind of a megabyte", json.dumps({"kind": "Certificate" * 90_000, "spec": {}}))
    yield said(
        "a version of a megabyte", json.dumps({"apiVersion": "certform" * 120_000, "spec": {}})
    )
    files = {f"d{n // 1000}/{n}.yaml": Node(b"kind: Certificate\n") for n in range(60_000)}
    yield Case("files without end", files)
    whole = Node((certificate("evil") + "\n#" + "x" * FULL).encode())
    yield Case("300 MiB of files", {f"d/{n}.yaml": whole for n in range(300)})
    dense = Node(("kind: Certificate\nspec: [" + "a," * (FULL // 2) + "]").encode())
    yield Case("dense files", {f"d/{n}.yaml": dense for n in range(200)})
    yield Case("a file of a hundred megabytes", {"evil.yaml": Node(b"#" * 100 * MIB)})


def tables() -> Iterator[Case]:
    """CSV, and sets that multiply."""

    def with_table(name: str, text: str | bytes, code: int = REFUSED, **spec: Any) -> Case:
        template = {"spec": {"issuerRef": "issuing", "dnsNames": ["{name}.example.com"], **spec}}
        made = document("CertificateSet", "evil", {"template": template, "csv": "evil.csv"})
        data = text if isinstance(text, bytes) else text.encode()
        return Case(name, {"evil.yaml": Node(made.encode()), "evil.csv": Node(data)}, code)

    rows = "".join(f"r{n}\n" for n in range(100_000))
    yield with_table("a table of formulas", "name,x\n\"=cmd|'/C calc'!A0\",@SUM(1)\n")
    yield with_table("a table with a field without end", 'name\n"' + "x" * FULL)
    yield with_table("a table with columns without end", ",".join(f"c{n}" for n in range(150_000)))
    yield with_table("a table with NULs", b"name\na\0b\n\x1b[31m\n")
    yield with_table("a table with commands", 'name\n"::error::x\n::stop-commands::y"\n')
    yield with_table("a table that is no UTF-8", b"name\n\xff\n")
    yield with_table("a table of quotes", "name\n" + '"' * FULL)
    yield with_table(
        "a set of names without end", f"name\n{rows}", dnsNames=["{name}.example.com"] * 20_000
    )
    yield with_table("a set of one name", "name\n" + "same\n" * 100_000)
    yield with_table("a set with lines that are wrong", "name\n" + "a,b,c\n" * 150_000)
    yield multiplying("a set that fills itself", "{k}" * 300_000, "k" * 300_000)
    yield multiplying("a set of long labels", "{k}", "k" * 300_000)
    outside = document(
        "CertificateSet", "evil", {"template": {"spec": {}}, "csv": "../../../../etc/passwd"}
    )
    yield said("a table outside", outside)
    rooted = document("CertificateSet", "evil", {"template": {"spec": {}}, "csv": "/etc/passwd"})
    yield said("a table of the machine", rooted)
    braces = {"template": {"spec": {"dnsNames": ["{" * 200_000]}}, "items": [{"name": "a"}]}
    yield said("braces that never end", document("CertificateSet", "evil", braces))
    odd = {
        "template": {"spec": {"dnsNames": ["{__class__}", "{name.__init__}", "{0}"]}},
        "items": [{"name": "a"}],
    }
    yield said("a template of attributes", document("CertificateSet", "evil", odd))


def multiplying(name: str, text: str, value: str) -> Case:
    """A set in which every item fills one text of the template."""
    template = {"metadata": {"labels": {"x": text}}, "spec": {"issuerRef": "issuing"}}
    items = [{"name": f"i{n}", "k": value} for n in range(2)]
    return said(name, document("CertificateSet", "evil", {"template": template, "items": items}))
