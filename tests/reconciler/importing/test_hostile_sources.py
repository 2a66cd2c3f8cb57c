"""What is imported was written by anybody: it is read with care, and refused with its place."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from certbot_folders import CertbotFolder, account_jwk

from providers.secret import Secret
from reconciler.importing.certbot import import_certbot
from reconciler.importing.certmanager import LARGEST, import_cert_manager
from reconciler.importing.fitting import fit
from reconciler.importing.ini import read_ini
from reconciler.importing.keys import held_key
from reconciler.importing.leaf_drafts import as_reload
from reconciler.importing.lego import import_lego
from reconciler.importing.naming import Names, plain
from reconciler.importing.outcome import HeldKey
from reconciler.importing.sources import Unread, read_bytes
from schemas.secrets import SecretReference

HEADER = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: web}\n"
REFERENCE = SecretReference(name="config/a.sops.yaml", key="privateKey")


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        (f"{HEADER}spec: &anchor {{}}\n", 4, 7, "anchors are not read"),
        (f"{HEADER}spec: {{dnsNames: *names}}\n", 4, 18, "aliases are not read"),
        (f"{HEADER}spec: !!python/object:os.system {{}}\n", 4, 7, "tags are not read"),
        (f"{HEADER}spec: {{a: 1, a: 2}}\n", 4, 14, "written twice"),
        (f"{HEADER}spec: [\n", 4, 8, "not YAML"),
        ("- a list\n", 1, 1, "must be a mapping"),
        (f"{HEADER}spec: {'[' * 100}\n", 4, 38, "nests deeper"),
        ('metadata:\n  name: {{ include "chart.name" . }}\n', 2, 9, "template"),
        ('a: 1\nkind: "\0"\n', 2, 1, "no text"),
    ],
)
def test_yaml_that_is_refused_is_told_by_line_and_column(
    text: str, line: int, column: int, words: str
) -> None:
    outcome = import_cert_manager(["-"], Names(), text.encode())
    (finding,) = outcome.broken
    assert finding.source is not None
    assert (finding.source.line, words in finding.summary) == (line, True), finding
    assert finding.source.column == column
    assert outcome.drafts == ()


def test_a_helm_template_is_refused_with_what_to_do() -> None:
    text = f"{HEADER}spec:\n  dnsNames: [{{{{ .Values.host }}}}]\n"
    (finding,) = import_cert_manager(["-"], Names(), text.encode()).broken
    assert "helm template" in finding.hint


def test_bytes_that_are_no_text_and_a_file_that_is_too_large_are_refused() -> None:
    (finding,) = import_cert_manager(["-"], Names(), b"a: 1\n\xff\xfe").broken
    assert finding.source is not None
    assert (finding.source.line, finding.summary) == (2, "the file is not UTF-8")
    (finding,) = import_cert_manager(["-"], Names(), b"#" * (LARGEST + 1)).broken
    assert "larger than" in finding.summary


@pytest.mark.parametrize(
    "make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/etc/passwd")]
)
def test_what_is_no_plain_file_is_not_opened(make: Callable[[Path], None], tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    make(path)
    with pytest.raises(Unread):
        read_bytes(path)


def test_one_file_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(f"{HEADER}spec: {{dnsNames: [a.example.com], issuerRef: {{name: x}}}}\n")
    bad.write_bytes(b"\0")
    outcome = import_cert_manager([str(bad), str(good)], Names())
    assert (len(outcome.broken), outcome.documents) == (1, 1)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nno setting\n", 2),
        ("[one\n", 1),
        ("[[too deep]]\n", 1),
        ("[[[[deeper]]]]\n", 1),
        ("= 1\n", 1),
    ],
)
def test_settings_that_are_none_are_told_by_line(text: str, line: int) -> None:
    with pytest.raises(Unread) as refused:
        read_ini("a.conf", text)
    assert refused.value.finding.source is not None
    assert refused.value.finding.source.line == line


def test_settings_are_read_as_configobj_reads_them() -> None:
    text = (
        "a = 1, \nb = 'x, y' # why\nc = None\n\"d e\" = plain # why\n"
        "[s]\nf = 1,2\n[[t]]\nwww.example.com = /srv\n"
        '[u]\ng = ""\n'
    )
    assert read_ini("a.conf", text).data == {
        "a": ("1",),
        "b": "x, y",
        "c": None,
        "d e": "plain",
        "s": {"f": ("1", "2"), "t": {"www.example.com": "/srv"}},
        "u": {"g": ""},
    }


def test_names_that_nobody_could_ask_for_are_left_out_one_by_one() -> None:
    names = ["ok.example.com", "-bad-", "a" * 300, "*.*.example.com", "ünicode.example", "x y"]
    spec = json.dumps({"dnsNames": names, "issuerRef": {"name": "x"}})
    (draft,) = import_cert_manager(["-"], Names(), f"{HEADER}spec: {spec}\n".encode()).drafts
    fitting, notes = fit(draft)
    assert fitting is not None
    assert fitting.spec["dnsNames"] == ("ok.example.com",)
    assert [note.field for note in notes] == [f"spec.dnsNames[{n}]" for n in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize(
    "wish", ["../../etc/passwd", "", "Ünïcode", "a" * 500, "x\x1b[31m", "*.example.com"]
)
def test_a_name_of_ours_is_made_of_anything(wish: str) -> None:
    name = plain(wish)
    assert 1 <= len(name) <= 63
    assert name.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""


def test_many_documents_of_one_name_each_have_their_own() -> None:
    names = Names()
    made = {names.free("Certificate", "a" * 80) for _ in range(200)}
    assert len(made) == 200
    assert max(map(len, made)) <= 63


@pytest.mark.parametrize(
    "server",
    [
        "https://../../../etc",
        "https://a/../../b",
        "https://",
        "not a url",
        "https://[bad",
        "http://plain/dir",
    ],
)
def test_a_server_leads_to_no_other_folder_and_stops_nothing(server: str, tmp_path: Path) -> None:
    folder = CertbotFolder(tmp_path / "letsencrypt")
    path = folder.add("www", "authenticator = standalone", ("www.example.com",))
    path.write_text(
        path.read_text().replace("https://acme-v02.api.letsencrypt.org/directory", server)
    )
    outcome = import_certbot(folder.root, Names())
    assert outcome.keys == ()
    assert outcome.documents == 1


def test_an_archive_outside_of_the_directory_is_not_looked_at(tmp_path: Path) -> None:
    folder = CertbotFolder(tmp_path / "letsencrypt")
    outside = CertbotFolder(tmp_path / "outside")
    outside.add("www", "", ("secret.example.com",))
    (folder.root / "archive").symlink_to(outside.root / "archive")
    folder.add("www", "authenticator = standalone")
    outcome = import_certbot(folder.root, Names())
    assert "secret.example.com" not in str(outcome.drafts)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"{" * 10_000,
        b'{"kty": "oct", "k": "AAAA"}',
        b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END",
        b"\0",
    ],
)
def test_what_is_no_account_key_is_refused_and_not_repeated(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "private_key.json"
    path.write_bytes(content)
    with pytest.raises(Unread) as refused:
        held_key(HeldKey("a", REFERENCE, path))
    assert "AAAA" not in str(refused.value)


def test_an_account_key_is_a_secret_from_the_first_byte(tmp_path: Path) -> None:
    path = tmp_path / "private_key.json"
    path.write_bytes(account_jwk())
    found = held_key(HeldKey("a", REFERENCE, path))
    assert isinstance(found, Secret)
    assert str(found) == "(secret)"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("systemctl reload nginx", "[systemctl, reload, nginx]"),
        ("/opt/hook --password hunter2", "[/opt/hook, ...]"),
        ("notify https://user:hunter2@example.com", "[notify, ...]"),
        (f"notify {'hunter2' * 7}", "[notify, ...]"),
        ("notify hunter2 | mail", "a shell is not run"),
        ("'notify hunter2", "a shell is not run"),
    ],
)
def test_a_hook_is_told_without_what_may_be_secret_in_it(command: str, told: str) -> None:
    assert told in as_reload(command)
    assert "hunter2" not in as_reload(command)


def test_a_folder_of_legos_full_of_nonsense_is_told_file_by_file(tmp_path: Path) -> None:
    (tmp_path / "certificates").mkdir()
    for number, content in enumerate((b"\xff", b"[]", b"{", b"null")):
        (tmp_path / "certificates" / f"{number}.json").write_bytes(content)
    (tmp_path / "accounts/host/me").mkdir(parents=True)
    (tmp_path / "accounts/host/me/account.json").write_text('"text"')
    outcome = import_lego(tmp_path, Names())
    assert (len(outcome.broken), outcome.documents) == (5, 0)


def test_a_key_that_lego_would_reach_by_a_link_is_none_of_its_account(tmp_path: Path) -> None:
    outside, account = tmp_path / "outside", tmp_path / "lego/accounts/acme.example/me@a.example"
    for folder in (outside, account, tmp_path / "lego/certificates"):
        folder.mkdir(parents=True)
    (outside / "me@a.example.key").write_bytes(account_jwk())
    (account / "account.json").write_text("{}")
    (account / "keys").symlink_to(outside)
    stored = tmp_path / "lego/certificates/a.example.com.json"
    stored.write_text('{"domain": "a.example.com"}')
    assert import_lego(tmp_path / "lego", Names()).keys == ()
    (account / "keys").unlink()
    outside.rename(account / "keys")
    assert len(import_lego(tmp_path / "lego", Names()).keys) == 1
