# ruff: noqa: E501  (a document of a table stands on one line)
"""Which files are read and which refused, alike in a working tree and at a commit."""

import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from examining import desired, source

from reconciler.errors import InvalidInput
from reconciler.load import files as files_module
from reconciler.repository import Examination, examine, load, versioned

Files = Mapping[str, str | bytes]
Examined = Callable[[Files], Examination]
SOUND = {
    "certform.yaml": (
        "apiVersion: certform.dev/v1\nkind: Project\nmetadata: {name: p}\n"
        "spec: {keyring: [{age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]}\n"
    ),
    "authorities/ca.yml": "kind: Authority\nmetadata: {name: ca}\nspec: {commonName: CA}\n",
    "team/web.yaml": "kind: Certificate\nmetadata: {name: web}\nspec: {issuerRef: ca, dnsNames: [web.example]}\n",
}


def write(root: Path, files: Files) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def git(root: Path, *argv: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        **{
            f"GIT_{who}_{what}": "t@example"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        },
    }
    return subprocess.run(
        ["git", *argv], cwd=root, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(root: Path) -> str:
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "all")
    return git(root, "rev-parse", "HEAD")


@pytest.fixture(params=["working tree", "commit"])
def examined(
    request: pytest.FixtureRequest, tmp_path: Path, require: Callable[[str], str]
) -> Examined:
    """Examine files from both; the working tree is emptied before a commit is read."""

    def examined(files: Files) -> Examination:
        write(tmp_path, {**SOUND, **files})
        if request.param == "working tree":
            return examine(tmp_path)
        require("git")
        commit(tmp_path)
        git(tmp_path, "rm", "-q", "-r", "--cached", ".")
        for path in [*tmp_path.rglob("*.[yY]*[mM][lL]")]:
            path.unlink()
        return examine(tmp_path, "main")

    return examined


def test_yaml_is_read_wherever_it_may_be(examined: Examined) -> None:
    examination = examined({"deep/er/x.yml": SOUND["team/web.yaml"].replace("web", "deep")})
    assert examination.diagnostics == ()
    assert set(desired(examination).certificates) == {"web", "deep"}


FOREIGN: Files = {
    "docker-compose.yml": "services: {web: {image: nginx}}\n",
    "deploy/ingress.yaml": "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: x}\nspec: {}\n",
    "deploy/cert.yaml": "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: x}\nspec: &a {b: *a}\n",
    "chart/t.yaml": "{{- if .Values.x }}\napiVersion: v1\nkind: {{ .Values.kind }}\n",
    "cfn.yaml": "Resources: {A: !Ref B}\n---\n- list\n",
    "latin.yaml": "apiVersion: v1\ncaf\xe9: 1".encode("latin-1"),
    "conda/meta.yaml": "metadata: {name: x}\nrequirements: {}\n",
    ".github/workflows/ci.yaml": "kind: Certificate\n",
    "team/.hidden/x.yaml": "kind: Certificate\n",
    "team/secret.sops.yaml": "kind: Certificate\n",
    "notes.txt": "kind: Certificate\n",
    "empty.yaml": "",
    "comment.yaml": "# kind: Certificate\n---\n",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_not_ours_is_left_alone(examined: Examined, name: str) -> None:
    assert examined({name: FOREIGN[name]}).diagnostics == ()


CERTIFICATE = SOUND["team/web.yaml"].replace("web", "x")
OTHER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"


@pytest.mark.parametrize(
    "text",
    [
        "{other}---\n{ours}---\na: [\n",
        "{other}---\na: [\n---\n{ours}",
        "{ours}---\n{other}a: [\n",
        "{other}a: [\n---\n{{kind: Certificate, metadata: {{name: x}}, spec: {{}}}}\n",
        "{other}---\napiVersion: certfrom.dev/v1\n{ours}a: [\n",
        "{other}---\n{ours}---\n{other}b: caf\udce9\n",
    ],
)
def test_what_is_broken_beside_ours_is_told(examined: Examined, text: str) -> None:
    content = text.format(other=OTHER, ours=CERTIFICATE).encode(errors="surrogateescape")
    (found,) = examined({"x.yaml": content}).diagnostics
    assert "not YAML" in found.summary or "not UTF-8" in found.summary


@pytest.mark.parametrize("broken", ["a: [\n", "{{ x }}\n", "a: caf\udce9\n"])
def test_what_is_broken_and_of_others_is_skipped_and_named(examined: Examined, broken: str) -> None:
    text = f"{OTHER}---\n{OTHER}---\n{OTHER}{broken}"
    examination = examined({"x.yaml": text.encode(errors="surrogateescape")})
    assert (examination.diagnostics, examination.skipped) == ((), ("x.yaml",))


def test_a_document_beside_ours_is_named_before_whole_files(examined: Examined) -> None:
    both = f"{CERTIFICATE}---\n{OTHER}---\n# nothing\n---\n- a\n"
    examination = examined({"a.yaml": "a: b\n", "x.yaml": both})
    assert examination.skipped == ("x.yaml:5", "x.yaml:11", "a.yaml")


def test_a_certificate_that_gains_a_version_of_others_is_named(examined: Examined) -> None:
    gained = SOUND["team/web.yaml"] + "---\napiVersion: v1\n" + CERTIFICATE
    assert examined({"team/web.yaml": gained}).skipped == ("team/web.yaml:5",)


@pytest.mark.parametrize("name", ["x.YAML", "x.Yml", "x.sops.YAML"])
def test_a_suffix_may_have_large_letters(examined: Examined, name: str) -> None:
    assert set(desired(examined({name: CERTIFICATE})).certificates) == {"web", "x"}


def test_what_is_skipped_is_named(examined: Examined) -> None:
    files: Files = {"a.yaml": "a: b\n", "b.yml": "# nothing\n", "team/x.sops.yaml": "a: b\n"}
    assert examined(files).skipped == ("a.yaml", "b.yml")


REFUSED: Mapping[str, tuple[str, str | bytes, int, str]] = {
    "a kind that is none": (
        "x.yaml",
        "kind: Certificat\nmetadata: {name: x}\nspec: {}\n",
        1,
        '"Certificat" is not a kind',
    ),
    "a document that lost its kind and spec": (
        "x.yaml",
        "metadata: {name: x}\nkind: a\n",
        2,
        "kind",
    ),
    "a document whose kind alone is left": (
        "x.yaml",
        "kind: Certificte\nspc: {}\n",
        1,
        "is not a kind",
    ),
    "a version that is misspelt": (
        "x.yaml",
        "apiVersion: certfrom.dev/v1\n" + CERTIFICATE,
        1,
        "apiVersion must be",
    ),
    "a version of another group": (
        "x.yaml",
        "apiVersion: certform.io/v1\n" + CERTIFICATE,
        1,
        "apiVersion must be",
    ),
    "broken YAML that nobody else claims": ("x.yaml", "a: [", 1, "is not YAML"),
    "Latin-1 that nobody else claims": (
        "x.yaml",
        "a: b\nc: \xe9".encode("latin-1"),
        2,
        "not UTF-8",
    ),
    "a large file": ("x.yaml", "#" * (1 << 20) + "\n", 1, "larger than 1 MiB"),
    "a document without kind": ("x.yaml", "metadata: {name: x}\nspec: {}\n", 1, "no kind"),
    "an unknown version": (
        "x.yaml",
        "apiVersion: certform.dev/v9\n" + CERTIFICATE,
        1,
        "apiVersion must be",
    ),
    "anything else in config": ("config/x.yaml", "services: {}\n", 1, "no kind"),
    "a list in config": ("config/x.yaml", "- a\n", 1, "must be a mapping"),
    "a certificate in config": (
        "config/x.yaml",
        CERTIFICATE,
        1,
        "Certificate does not belong in config/x.yaml",
    ),
    "a policy outside config": (
        "x.yaml",
        "kind: Policy\nmetadata: {name: x}\nspec: {selector: {paths: [a]}}\n",
        1,
        "Policy does not belong in x.yaml",
    ),
    "an authority outside authorities": (
        "config/x.yaml",
        "kind: Authority\nmetadata: {name: x}\nspec: {commonName: X}\n",
        1,
        "Authority does not belong",
    ),
    "a target in authorities": (
        "authorities/x.yaml",
        "kind: Target\nmetadata: {name: x}\nspec: {}\n",
        1,
        "Target does not belong",
    ),
    "a project elsewhere": (
        "x.yaml",
        SOUND["certform.yaml"],
        2,
        "Project does not belong in x.yaml",
    ),
    "a certificate in certform.yaml": (
        "certform.yaml",
        SOUND["certform.yaml"] + "---\n" + CERTIFICATE,
        6,
        "does not belong in certform.yaml",
    ),
    "a project without version": (
        "certform.yaml",
        SOUND["certform.yaml"].partition("\n")[2],
        1,
        "no apiVersion",
    ),
    "an alias in ours": ("x.yaml", CERTIFICATE.replace("[x.example]", "[*x]"), 3, "is an alias"),
    "an unquoted wildcard in ours": (
        "x.yaml",
        CERTIFICATE.replace("x.example", "*.example"),
        3,
        "is not YAML",
    ),
    "broken YAML in config": ("config/x.yaml", "a: [", 1, "is not YAML"),
    "Latin-1 in config": ("config/x.yaml", "a: b\nc: \xe9".encode("latin-1"), 2, "not UTF-8"),
    "UTF-16 in config": ("config/x.yaml", "a: b".encode("utf-16"), 1, "not UTF-8"),
    "a byte order mark in ours": (
        "x.yaml",
        b"\xef\xbb\xbf" + CERTIFICATE.encode(),
        1,
        "byte order mark",
    ),
    "a large file in config": ("config/x.yaml", "#" * (1 << 20) + "\n", 1, "larger than 1 MiB"),
    "a name with a backslash": ("a\\b.yaml", CERTIFICATE, 1, "a character that is not allowed"),
    "a name with a newline": ("a\nb.yaml", CERTIFICATE, 1, "a character that is not allowed"),
    "names that differ in case": ("team/WEB.yaml", CERTIFICATE, 1, "only in case"),
    "a field beside spec": ("x.yaml", CERTIFICATE + "status: {}\n", 4, "status is not a field"),
    "a document without metadata": (
        "x.yaml",
        "kind: Certificate\nspec: {issuerRef: ca, dnsNames: [a.b]}\n",
        1,
        "metadata is missing",
    ),
    "a bad name": (
        "x.yaml",
        CERTIFICATE.replace("name: x", "name: X_1"),
        2,
        '"X_1" must be 1 to 63 lower-case',
    ),
    "metadata as text": (
        "x.yaml",
        "kind: Certificate\nmetadata: x\nspec: {issuerRef: ca}\n",
        2,
        '"x" must be a mapping',
    ),
    "spec as a list": (
        "x.yaml",
        "kind: Certificate\nmetadata: {name: x}\nspec: [a]\n",
        3,
        "spec must be a mapping",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_ours_must_be_right(examined: Examined, case: str) -> None:
    name, content, line, summary = REFUSED[case]
    examination = examined({name: content})
    assert examination.desired is None
    found = [d for d in examination.diagnostics if summary in d.summary]
    assert found, examination.diagnostics
    assert source(found[0]).line == line


def test_a_missing_project_is_told(examined: Examined, tmp_path: Path) -> None:
    (found,) = examined({"certform.yaml": ""}).diagnostics
    assert "no certform.yaml" in found.summary
    assert "init" in found.hint


@pytest.mark.parametrize(
    "name", ["team/link.yaml", "config/link.yaml", "config/folder", "certform.yaml"]
)
def test_links_are_refused(examined: Examined, tmp_path: Path, name: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/certform.yaml").write_text(SOUND["certform.yaml"])
    link = tmp_path / name
    link.parent.mkdir(exist_ok=True)
    if name == "certform.yaml":
        link = tmp_path / "authorities" / "other.yaml"
        link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "elsewhere/certform.yaml")
    assert any("symbolic links" in d.summary for d in examined({}).diagnostics)


def test_a_linked_folder_of_the_guarded_ones_is_refused(examined: Examined, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "config").symlink_to("elsewhere")
    assert any("symbolic links" in d.summary for d in examined({}).diagnostics)


def test_nested_repositories_are_not_read(
    examined: Examined, tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("git")
    for folder in ("vendor/inner", "config/inner"):
        inner = tmp_path / folder
        write(inner, {"x.yaml": CERTIFICATE})
        commit(inner)
    found = examined({}).diagnostics
    assert [source(d).file for d in found] == ["config/inner", "vendor/inner"]
    assert all("nested repositories" in d.summary for d in found)


@pytest.mark.parametrize("target", ["{root}/elsewhere", "../elsewhere", ".hidden", "a/../../x", ""])
def test_a_folder_that_became_a_link_is_no_removal(
    examined: Examined, tmp_path: Path, target: str
) -> None:
    root = tmp_path.resolve()
    to = target.format(root=root.parent) or "/" + "x/" * 1000 + "x"
    (tmp_path / "services").symlink_to(to)
    (found,) = examined({}).diagnostics
    assert (found.summary, source(found).file) == ("symbolic links are not followed", "services")


def test_a_link_to_what_is_read_anyway_is_left_alone(examined: Examined, tmp_path: Path) -> None:
    for name, target in (("same", "team"), ("deep/er/up", "../../team"), ("round", ".")):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).symlink_to(target)
    examination = examined({})
    assert examination.diagnostics == ()
    assert set(desired(examination).certificates) == {"web"}


def test_a_link_to_a_file_elsewhere_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "pki", SOUND)
    (tmp_path / "LICENSE").touch()
    (tmp_path / "pki/LICENSE").symlink_to("../LICENSE")
    assert examine(tmp_path / "pki").diagnostics == ()


def test_a_commit_does_not_read_a_link_that_none_is(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("git")
    write(tmp_path, {**SOUND, "long": "x" * 5000})
    commit(tmp_path)
    blob = git(tmp_path, "hash-object", "long")
    git(tmp_path, "update-index", "--cacheinfo", f"120000,{blob},long")
    git(tmp_path, "commit", "-q", "-m", "a link")
    assert [source(d).file for d in examine(tmp_path, "main").diagnostics] == ["long"]


def test_a_commit_is_named_by_its_full_id(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("git")
    write(tmp_path, SOUND)
    full = commit(tmp_path)
    for ref in ("main", "HEAD", full, full[:10]):
        assert load(tmp_path, ref).revision == full
    assert load(tmp_path).revision is None


def test_a_working_tree_knows_its_commit_and_whether_it_was_changed_since(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    require("git")

    def seen() -> tuple[str | None, bool]:
        desired = versioned(tmp_path, examine(tmp_path))
        return desired.revision, desired.uncommitted

    write(tmp_path, {**SOUND, "note.txt": "a"})
    assert seen() == (None, False)
    full = commit(tmp_path)
    write(tmp_path, {"note.txt": "b", ".hidden/x.yaml": "a: b"})
    assert seen() == (full, False)
    write(tmp_path, {"team/new.yaml": CERTIFICATE})
    assert seen() == (full, True)
    (tmp_path / "team/new.yaml").unlink()
    write(tmp_path, {"team/web.yaml": SOUND["team/web.yaml"] + "# more\n"})
    assert seen() == (full, True)
    (tmp_path / "team/web.yaml").unlink()
    assert seen() == (full, True)


def test_a_folder_of_a_commit_is_read_alone(tmp_path: Path, require: Callable[[str], str]) -> None:
    require("git")
    write(tmp_path, {f"pki/{name}": text for name, text in SOUND.items()})
    write(tmp_path, {"certform.yaml": "kind: [broken"})
    commit(tmp_path)
    assert set(load(tmp_path / "pki", "HEAD").certificates) == {"web"}
    assert set(load(tmp_path / "pki").certificates) == {"web"}


@pytest.mark.parametrize(
    "ref", ["nowhere", "--all", "--output=x", "HEAD:certform.yaml", "", "a..b"]
)
def test_a_revision_that_is_none_is_told(
    tmp_path: Path, require: Callable[[str], str], ref: str
) -> None:
    require("git")
    write(tmp_path, SOUND)
    commit(tmp_path)
    with pytest.raises(InvalidInput, match="there is no commit"):
        examine(tmp_path, ref)
    assert not (tmp_path / "x").exists()


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="not a folder"):
        examine(tmp_path / "nowhere")


def test_too_many_files_are_told_and_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "MAX_FILES", 2)
    write(tmp_path, SOUND)
    assert any("more YAML here" in d.summary for d in examine(tmp_path).diagnostics)


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    write(tmp_path, SOUND)
    os.mkfifo(tmp_path / "team" / "pipe.yaml")
    assert examine(tmp_path).diagnostics == ()
