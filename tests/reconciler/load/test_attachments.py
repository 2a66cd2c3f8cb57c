"""Files that documents name: read within limits, alike in a working tree and at a commit."""

import os
import subprocess
from pathlib import Path

import pytest

from reconciler.load import attachments
from reconciler.load.trees import Tree, open_tree
from reconciler.repository import Examination, examine

PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: p}
spec: {keyring: [{age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]}
"""
AUTHORITY = """\
---
kind: Authority
metadata: {name: %s}
spec:
  commonName: CA
  privateKey: {custody: none}
  existing: {certificate: "%s"}
"""
BIG = b"x" * 3_000
ODD = ("a\\0b", "\\udc80", "\\u202e", "x" * 300, "x" * 5_000, "x/" * 100_000 + "y", "../x", "/x")


def examined(root: Path, *certificates: str) -> Examination:
    (root / "certform.yaml").write_text(PROJECT)
    folder = root / "authorities"
    folder.mkdir(exist_ok=True)
    documents = (AUTHORITY % (f"ca-{n}", path) for n, path in enumerate(certificates))
    (folder / "cas.yaml").write_text("".join(documents))
    return examine(root)


@pytest.fixture(params=["working tree", "commit"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    """Three files and a link, to be read from either."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(BIG)
    (tmp_path / "link").symlink_to("a")
    if request.param == "working tree":
        return open_tree(tmp_path, None)
    for argv in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "all"]):
        who = {f"GIT_{each}": "t@example" for each in ("AUTHOR_NAME", "AUTHOR_EMAIL")}
        who |= {f"GIT_{each}": "t@example" for each in ("COMMITTER_NAME", "COMMITTER_EMAIL")}
        subprocess.run(["git", *argv], cwd=tmp_path, check=True, env={**os.environ, **who})
    return open_tree(tmp_path, "HEAD")


def test_what_is_too_large_alone_or_together_is_told(tree: Tree) -> None:
    limits = {"a": len(BIG), "b": len(BIG) - 1, "link": 9, "gone": 9, "c": len(BIG)}
    assert tree.attachments({"a": len(BIG)}, len(BIG)) == {"a": BIG}
    found = tree.attachments(limits, 2 * len(BIG) - 1)
    assert found["a"] == BIG
    assert "larger" in str(found["b"])
    assert "too large together" in str(found["c"])
    assert "not followed" in str(found["link"])
    assert "o such file" in str(found["gone"])


@pytest.mark.parametrize("path", ODD)
def test_a_path_that_is_none_is_told_at_its_line(tmp_path: Path, path: str) -> None:
    found = examined(tmp_path, path).diagnostics
    assert found[0].source is not None
    assert found[0].source.file == "authorities/cas.yaml"
    assert all(len(each.summary) < 500 for each in found)


def test_what_is_read_for_each_document_counts_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_bytes(BIG)
    monkeypatch.setattr(attachments, "TOTAL", 4 * len(BIG))
    told = "the files that documents name have more than"
    few = examined(tmp_path, *["ca.pem"] * 4).diagnostics
    assert not [each for each in few if told in each.summary]
    many = examined(tmp_path, *["ca.pem"] * 5).diagnostics
    assert [each for each in many if told in each.summary]


def test_only_what_a_ca_kept_may_be_large(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(b"x" * ((1 << 20) + 1))
    (found,) = examined(tmp_path, "ca.pem").diagnostics
    assert found.summary == '"ca.pem" cannot be read: it is larger than 1 MiB'
