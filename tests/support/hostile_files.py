"""Pull requests whose documents name files: of CAs that existed before, of Bundles, of passwords and PINs."""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography import x509 as cx
from hostile_trees import Node, link, submodule
from hostile_yaml import PLANNED, REFUSED, Case, certificate, document, said
from takeovers import elliptic, made

from providers import x509

NAMES = (
    "../../../etc/passwd",
    "/etc/passwd",
    "/proc/self/environ",
    "/dev/zero",
    ".git/config",
    "a/../../x.pem",
    "a/.env",
    "::error::x",
    "a\0b",
    "a\nb",
    "\x1b[2J.pem",
    "x" * 5_000,
    "a/" * 50_000 + "b",
    "-o/evil",
    "$(touch owned)",
    "CERTFORM.YAML",
    "config",
    "missing.pem",
)
"""What is no file of the repository that could be read."""
SEALED = b'{"data": "ENC[AES256_GCM,data:x,type:str]", "sops": {"age": [{"recipient": "age1x"}]}}'
LARGE = 64 << 20
LINE = b"V\t271231235959Z\t\t01\t\t\n"
MODULE = "/tmp/certform-test-evil.so"
"""A module that must never be opened."""
WHERE = "authorities/stranger.yaml"
START = datetime(2026, 1, 1, tzinfo=UTC)
LOUD = "::error::merge me\n\x1b[31m \u202e<img src=x>"


def authority(name: str, custody: Any = "none", **existing: Any) -> str:
    """A CA that existed before, as a stranger brings it."""
    spec = {"commonName": "Legacy CA", "privateKey": {"custody": custody}}
    named = {"certificate": "legacy/ca.pem", **existing}
    return document("Authority", name, {**spec, "existing": named})


def root(name: str = "Legacy CA") -> Node:
    """The certificate of a CA of a stranger's own."""
    subject = cx.Name(
        [
            cx.NameAttribute(cx.NameOID.ORGANIZATION_NAME, name),
            cx.NameAttribute(cx.NameOID.COMMON_NAME, "Legacy CA"),
        ]
    )
    return Node(x509.pem(made(START, elliptic(), name=subject)))


def brought(
    name: str,
    files: Mapping[str, Node],
    code: int = REFUSED,
    *documents: str,
    custody: Any = "none",
    **existing: Any,
) -> Case:
    """A pull request with such a CA, and files beside it."""
    text = "\n---\n".join(documents or [authority("stranger", custody, **existing)])
    node = Node(text.encode())
    return Case(name, {"legacy/ca.pem": root(), **files, WHERE: node}, code, where=WHERE)


def places() -> Iterator[Case]:
    """Names of files that are none, in every field that names one, and what is no file under such names."""
    cas = [
        authority(f"a{n}-{field}", **{field: [name] if field == "issued" else name})
        for n, name in enumerate(NAMES)
        for field in ("certificate", "crl", "index", "issued")
    ]
    cas += [authority(f"k{n}", {"sops": name}) for n, name in enumerate(NAMES)]
    yield brought("files of CAs that are none", {}, REFUSED, *cas)
    bundle = document("Bundle", "evil", {"files": list(NAMES), "targets": ["edge"]})
    yield said("files of a bundle that are none", bundle, path="config/evil.yaml")
    yield said("files of passwords that are none", *(keystore(name) for name in NAMES))
    nodes = {
        "machine": link(b"/etc/passwd"),
        "process": link(b"/proc/self/environ"),
        "git": link(b"../.git/config"),
        "beside": link(b"ca.pem"),
        "strange": submodule(),
    }
    links = {"away": link(b"/etc"), **{f"legacy/{name}": node for name, node in nodes.items()}}
    paths = ("away/passwd", *(f"legacy/{name}" for name in nodes))
    cas = [authority(f"b{n}", index=path) for n, path in enumerate(paths)]
    yield brought("files of CAs that are links", links, REFUSED, *cas)


def keystore(name: str) -> str:
    """A Certificate with keystores whose password is in a file."""
    store = {"create": True, "passwordSecretRef": {"name": name, "key": "x"}}
    entry = {"targetRef": "edge", "keystores": {"pkcs12": store, "jks": store}}
    return certificate("evil", targets=[entry])


def bombs() -> Iterator[Case]:
    """Files that cost time or memory, as much as they may have, and more."""
    whole = Node(LINE * (LARGE // len(LINE)))
    yield brought("an index of 64 MiB", {"legacy/i": whole}, index="legacy/i")
    rubbish = Node(b"x\n" * 500_000)
    yield brought("an index of rubbish", {"legacy/i": rubbish}, index="legacy/i")
    header = b"blob %d\0" % len(whole.content)
    same = Node(object_id=hashlib.sha1(header + whole.content, usedforsecurity=False).hexdigest())
    many = [f"legacy/{n}" for n in range(200)]
    yield brought("200 files of 64 MiB", dict.fromkeys(many, same), issued=many)
    yield brought("one file 2,000 times", {"legacy/i": whole}, issued=["legacy/i"] * 2_000)
    pem = Node(b"-----BEGIN CERTIFICATE-----\nAAAA\n" * 1_000_000)
    yield brought("certificates without end", {"legacy/i": pem}, issued=["legacy/i"])
    wide = Node(b'{"data": "", "sops": [' + b"[]," * (LARGE // 3))
    yield brought("a key of 64 MiB", {"legacy/k": wide}, custody={"sops": "legacy/k"})


def tokens() -> Iterator[Case]:
    """Keys in tokens: what is loaded is code."""
    key = {"key": "pkcs11:token=ca;object=root", "module": MODULE}
    spec = {"commonName": "Stranger", "privateKey": {"custody": {"pkcs11": key}}}
    yield said(
        "a CA key by a module of a stranger",
        document("Authority", "stranger", spec),
        path=WHERE,
        code=PLANNED,
    )
    inside = {"pkcs11": {**key, "module": "evil.so"}}
    spec = {"commonName": "Stranger", "privateKey": {"custody": inside}}
    yield said(
        "a CA key by a module of the repository",
        document("Authority", "stranger", spec),
        path=WHERE,
    )
    secret = {"name": "legacy/pin.sops.yaml", "key": "x"}
    sealed = {"legacy/pin.sops.yaml": Node(SEALED)}
    custody = {"pkcs11": {**key, "pinSecretRef": secret}}
    yield brought("a CA of before in a stranger's token", sealed, PLANNED, custody=custody)


def takeovers() -> Iterator[Case]:
    """CAs of before that are a stranger's own."""
    line = b"R\t271231235959Z\t260101000000Z\t0A\tunknown\t/CN=::error::x\x1b[2J\n"
    files = {"legacy/k": Node(SEALED), "legacy/i": Node(line)}
    custody = {"sops": "legacy/k"}
    yield brought("a CA of a stranger's", files, PLANNED, custody=custody, index="legacy/i")
    clear = {"legacy/k": Node(b"-----BEGIN PRIVATE KEY-----")}
    yield brought("a key that nobody sealed", clear, custody=custody)
    yield brought("a CA with a loud name", {"legacy/ca.pem": root(LOUD)}, PLANNED)


def cases() -> Iterator[Case]:
    """Every one of them."""
    for each in (places(), bombs(), tokens(), takeovers()):
        yield from each
