"""Pull requests of strangers, each a commit on one base; what none may bring about is in the tests."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import hostile_documents
import hostile_files
import hostile_issuers
import hostile_yaml
from hostile_documents import HIDDEN, KEY, STRANGER
from hostile_trees import Folder, Node, Objects, folders, link, submodule
from hostile_yaml import PLANNED, REFUSED, SHOUT, Case, certificate, document, said

GUARD = """\
kind: Policy
metadata: {name: guard}
spec: {selector: {paths: [teams/**]}, allowed: {dnsDomains: [example.com]}}
"""
CLOUDS = {
    "acm": "{aws-acm: {regions: [eu-west-1], role: 'arn:aws:iam::111122223333:role/certform'}}",
    "vault": "{azure-key-vault: {vault: kv-example-prod}}",
    "google": "{gcp-certificate-manager: {project: example-project}}",
}
TRAP = b'#!/bin/sh\necho caught > "$0.owned"\n'
LYING_ABOUT = {
    **dict.fromkeys(("git", "sops", "age", "env", "sh"), TRAP),
    **dict.fromkeys(
        ("sitecustomize.py", "usercustomize.py", "yaml/__init__.py", "click.py"), b"1/0\n"
    ),
    **dict.fromkeys(("reconciler/__init__.py", "schemas/__init__.py", "conftest.py"), b"1/0\n"),
    ".gitattributes": b"* filter=evil diff=evil merge=evil text eol=crlf working-tree-encoding=UTF-16\n",
    ".gitmodules": b'[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% owned\n',
    ".env": b"GIT_SSH_COMMAND=touch owned\nPYTHONPATH=.\n",
    ".sops.yaml": b"creation_rules: [{age: evil}]\n",
}
"""What a checkout of any of them has lying about in its working tree."""
_FOLDERS = frozenset({"config", "authorities"})
"""What a case may put something else in the place of."""


def projects(project: str) -> Iterator[Case]:
    """Pull requests that change the Project itself."""

    def edited(name: str, old: str, new: str, code: int = PLANNED) -> Case:
        assert old in project, old
        return said(name, project.replace(old, new), path="certform.yaml", code=code)

    branch = next(line.strip() for line in project.splitlines() if "publicKey" in line)
    yield edited("another ledger key", branch, f"publicKey: {KEY}")
    yield edited("no ledger key", branch, "branch: certform/ledger")
    for remote in (
        "ext::sh -c touch% owned",
        "ssh://-oProxyCommand=touch%20owned/x",
        "/etc",
        "https://evil.example/x.git",
    ):
        yield edited(f"the ledger at {remote}", branch, f"{branch}\n    remote: {remote!r}")
    yield edited(
        "the ledger at an option", branch, f"{branch}\n    remote: '--upload-pack=touch owned'"
    )
    yield edited(
        "the ledger on a branch that climbs",
        branch,
        f"{branch}\n    branch: '../../config'",
        REFUSED,
    )
    yield edited(
        "the ledger on a branch of options", branch, f"{branch}\n    branch: '--help'", REFUSED
    )
    for directory in ("/var/www", "/proc/self/fd", "live/../../x", "/dev/stdout"):
        code = REFUSED if ".." in directory else PLANNED
        yield edited(
            f"publishing to {directory}", "directory: live/pki", f"directory: {directory}", code
        )
    yield edited(
        "a keyring of strangers",
        "keyring: [",
        f"keyring: [{{age: {STRANGER}}}, {{pgp: '--batch'}}, ",
    )
    yield edited("another name", "name: faults", f"name: {SHOUT!r}", REFUSED)
    yield edited("a name that is another's", "name: faults", "name: bank")
    yield edited(
        "an address that hides",
        "http://pki.example.com",
        f"http://pki.example.com/{HIDDEN}",
        REFUSED,
    )
    yield edited("no guard", "spec:", "spec:\n  guard: {maxChange: 100%, from: 999999999}")


def foundations(project: str) -> Iterator[Case]:
    """Pull requests that leave no Project, or two."""
    yield Case("no Project", {"certform.yaml": None})
    second = project.replace("name: faults", "name: other")
    yield said("two Projects", project, second, path="certform.yaml")
    yield Case(
        "no document but the Project",
        {"certform.yaml": Node(project.encode())},
        PLANNED,
        empty=True,
    )
    yield Case("nothing at all", {}, empty=True)


def links() -> Iterator[Case]:
    """Trees that hold links where files are expected."""
    for name, target in {
        "a file of the machine": b"/etc/passwd",
        "a folder above": b"../../..",
        "itself": b"evil.yaml",
        "a name with a line break": b"a\n::error::x",
        "what begins with a dot": b".git/config",
        "a process": b"/proc/self/environ",
        "a path of a megabyte": b"a/" * 500_000,
    }.items():
        yield Case(f"a link to {name}", {"evil.yaml": link(target), "dir": link(target)})
    table = document("CertificateSet", "evil", {"csv": "t.csv", "template": {"spec": {}}})
    yield Case("links in a chain", {f"l{n}.yaml": link(b"l%d.yaml" % (n + 1)) for n in range(200)})
    yield Case("the Project as a link", {"certform.yaml": link(b"/etc/passwd")})
    yield Case(
        "config as a link", {"config/targets.yaml": None, "config": link(b"/etc")}, where="config"
    )
    yield Case(
        "a table as a link",
        {
            "t.csv": link(b"/etc/passwd"),
            "evil.yaml": Node(table.encode()),
        },
    )


def names() -> Iterator[Case]:
    """Trees with submodules and attributes, and files under names that are none."""
    yield Case("a submodule", {"x": submodule(), ".gitmodules": Node(LYING_ABOUT[".gitmodules"])})
    yield Case("the Project as a submodule", {"certform.yaml": submodule()})
    yield Case(
        "attributes",
        {
            ".gitattributes": Node(LYING_ABOUT[".gitattributes"]),
            "evil.yaml": Node(certificate("evil").encode()),
        },
        PLANNED,
    )
    yield Case(
        "names in two cases",
        {"Evil.yaml": Node(b"x: 1"), "evil.YAML": Node(b"x: 1"), "EVIL.yaml": Node(b"x: 1")},
    )
    yield Case("names in two forms", {"\u00e9.yaml": Node(b"x: 1"), "e\u0301.yaml": Node(b"x: 1")})
    body = Node(certificate("evil").encode())
    for name in (
        "a\nb.yaml",
        "::error::x.yaml",
        "\x1b[31m.yaml",
        'a"b.yaml',
        "a\\..\\b.yaml",
        "\udcff\udcfe.yaml",
        "\u202egpj.yaml",
        "$(touch owned).yaml",
        "--output=x.yaml",
        "%0A::error::.yaml",
        "aux.yaml",
        "<img src=x>.yaml",
    ):
        odd = any(c in name for c in "\n\x1b\\\udcff\u202e")
        yield Case(f"a file called {name!r}", {name: body}, REFUSED if odd else PLANNED, where=name)
    yield Case("a name of 60 KB", {"a" * 60_000 + ".yaml": body}, PLANNED)
    yield Case("a program", {"evil.yaml": Node(body.content, b"100755")}, PLANNED)
    yield Case("a mode that does not exist", {"evil.yaml": Node(body.content, b"177777")})
    yield Case("an object that is not there", {"evil.yaml": Node(object_id="2" * 40)})


def entries(objects: Objects) -> Iterator[Case]:
    """Trees that no git would make."""
    blob = objects.write(b"blob", certificate("evil").encode())
    inner = objects.write(b"tree", b"100644 evil.yaml\0" + bytes.fromhex(blob))
    deep = inner
    for _ in range(3_000):
        deep = objects.write(b"tree", b"40000 d\0" + bytes.fromhex(deep))
    yield Case("folders without end", {}, PLANNED, ((b"40000", b"d", deep),))
    for name in (b"..", b".git", b".GIT", b"git~1", b".git\xe2\x80\x8c", b"."):
        yield Case(f"a folder called {name!r}", {}, PLANNED, ((b"40000", name, inner),))
    yield Case("a file below an upper folder", {}, PLANNED, ((b"100644", b"../evil.yaml", blob),))
    yield Case("a file in no folder", {}, PLANNED, ((b"100644", b"/etc/evil.yaml", blob),))
    yield Case("a file without a name", {}, REFUSED, ((b"100644", b"", blob),))
    yield Case(
        "one name twice",
        {},
        PLANNED,
        ((b"100644", b"twice.yaml", blob), (b"100644", b"twice.yaml", blob)),
    )
    yield Case("a blob as a folder", {}, REFUSED, ((b"40000", b"evil.yaml", blob),))
    yield Case("a folder as a file", {}, REFUSED, ((b"100644", b"evil.yaml", inner),))


def cases(base: Mapping[str, bytes], objects: Objects) -> tuple[Case, ...]:
    """Every pull request; `base` are the files they begin with."""
    generators: tuple[Iterable[Case], ...] = (
        hostile_yaml.syntax(),
        hostile_yaml.depth(),
        hostile_yaml.size(),
        hostile_yaml.tables(),
        hostile_documents.words(),
        hostile_documents.names(),
        hostile_documents.targets(),
        hostile_documents.directories(),
        hostile_documents.keys(),
        hostile_documents.others(),
        hostile_documents.revocations(),
        hostile_documents.rules(),
        projects(base["certform.yaml"].decode()),
        foundations(base["certform.yaml"].decode()),
        links(),
        names(),
        entries(objects),
        hostile_files.cases(),
        hostile_issuers.cases(),
    )
    return tuple(case for each in generators for case in each)


@dataclass(frozen=True, slots=True)
class Corpus:
    """One repository that holds the base and every head."""

    base: str
    heads: Mapping[str, str]
    cases: Mapping[str, Case]

    @classmethod
    def written(cls, root: Path) -> "Corpus":
        """Write the base, as what is in a working tree with more around it, and a commit for each case."""
        objects = Objects(root / ".git")
        before = {path: Node(content) for path, content in _documents(root).items()}
        before["config/policy.yaml"] = Node(GUARD.encode())
        for name, spec in CLOUDS.items():
            text = f"kind: Target\nmetadata: {{name: {name}}}\nspec: {spec}\n"
            before[f"config/{name}.yaml"] = Node(text.encode())
        base = objects.commit(objects.folder(folders(before)))
        every = cases({path: node.content for path, node in before.items()}, objects)
        heads = {case.name: _head(objects, before, case, base) for case in every}
        assert len(heads) == len(every), "two cases have one name"
        return cls(base, heads, {case.name: case for case in every})


def _documents(root: Path) -> Mapping[str, bytes]:
    found = (file for file in root.rglob("*.yaml") if ".git" not in file.parts)
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in found}


def _head(objects: Objects, before: Mapping[str, Node], case: Case, base: str) -> str:
    files = {**({} if case.empty else before), **case.files}
    gone = {path for path, node in case.files.items() if node is None}
    taken = [f"{path}/" for path, node in case.files.items() if path in _FOLDERS and node]
    gone |= {path for path in files if path.startswith(tuple(taken))}
    tree: Folder = folders({path: node for path, node in files.items() if path not in gone})
    return objects.commit(objects.folder(tree, case.entries), base)


def lie_about(root: Path) -> None:
    """Put into a working tree what a checkout of a stranger's branch may have there."""
    for path, content in LYING_ABOUT.items():
        file = root / path
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
        file.chmod(0o755)
