"""Keystores beside the PEM files: Java and OpenSSL open them, drift is seen, no password stays anywhere."""

import json
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12
from installing import MakeTarget, Wanted, listed

from providers import x509
from providers.base import Bundle, Installed, InstallRequest, Keystore, Keystores
from providers.errors import Rejected
from providers.local.directory import LocalDirectoryTarget
from providers.local.jks import KeyEntry, TrustedEntry, key_store
from providers.secret import Secret
from schemas.certificate import Algorithm
from schemas.request import KeyType

PASSWORD = b"test-password-1"
FORMS = ("keystore.jks", "keystore.p12", "truststore.jks", "truststore.p12")
DIGEST = "ab" * 16


def stores(
    profile: str = "Modern2023", password: bytes = PASSWORD, told: str = DIGEST
) -> Keystores:
    secret = Secret(password)
    return Keystores(
        told,
        (
            Keystore("pkcs12", "certificate", secret, profile),
            Keystore("jks", "Web Server", secret),
        ),
    )


@pytest.fixture
def asked(wanted: Wanted) -> InstallRequest:
    return replace(wanted(), keystores=stores())


@pytest.fixture
def listing(require: Callable[[str], str], tmp_path: Path) -> Callable[[Path], str]:
    """What Java's own keytool says of a keystore."""
    program, file = require("keytool"), tmp_path / "password"
    file.write_bytes(PASSWORD)

    def ask(store: Path, *arguments: str) -> str:
        done = subprocess.run(
            [program, "-list", "-v", "-keystore", store, "-storepass:file", file, *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    return ask


def only(target: LocalDirectoryTarget) -> Installed:
    (installed,) = target.observe()
    return installed


def test_java_opens_every_file_and_finds_key_chain_and_anchors(
    target: LocalDirectoryTarget,
    root: Path,
    asked: InstallRequest,
    listing: Callable[[Path], str],
) -> None:
    target.install(asked)
    current = root / "web" / "current"
    assert set(FORMS) <= set(listed(current))
    for form, alias in (("p12", "certificate"), ("jks", "web server")):
        told = listing(current / f"keystore.{form}")
        assert f"Alias name: {alias}\n" in told
        assert "Entry type: PrivateKeyEntry" in told
        assert "Certificate chain length: 2" in told
        trust = listing(current / f"truststore.{form}")
        assert "Alias name: ca\n" in trust
        assert "Entry type: trustedCertEntry" in trust


@pytest.mark.parametrize(
    ("profile", "sealing"),
    [
        ("Modern2023", "PBES2, PBKDF2, AES-256-CBC, Iteration 10000, PRF hmacWithSHA256"),
        ("LegacyDES", "pbeWithSHA1And3-KeyTripleDES-CBC"),
    ],
)
def test_pkcs12_is_sealed_as_it_was_asked_for(
    target: LocalDirectoryTarget,
    root: Path,
    asked: InstallRequest,
    require: Callable[[str], str],
    profile: str,
    sealing: str,
) -> None:
    target.install(replace(asked, keystores=stores(profile)))
    file = root / "web" / "current" / "keystore.p12"
    legacy = ("-legacy",) if profile == "LegacyDES" else ()
    done = subprocess.run(
        [require("openssl"), "pkcs12", "-info", "-noout", "-in", file, "-passin", "stdin", *legacy],
        input=PASSWORD,
        capture_output=True,
        check=False,
    )
    told = done.stderr.decode()
    assert done.returncode == 0, told
    assert told.count(sealing) == 2  # the key's bag and the certificates'


def test_the_key_in_a_keystore_is_the_one_beside_it(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest
) -> None:
    target.install(asked)
    content = (root / "web" / "current" / "keystore.p12").read_bytes()
    key, leaf, above = pkcs12.load_key_and_certificates(content, PASSWORD)
    assert key is not None
    assert leaf is not None
    assert x509.spki(key.public_key()) == x509.facts(asked.bundle.certificate).spki  # type: ignore[arg-type]
    assert len(above) == 1


@pytest.mark.parametrize(
    "kind",
    [
        KeyType(algorithm=Algorithm.RSA, size=2048),
        KeyType(algorithm=Algorithm.ECDSA, size=384),
        KeyType(algorithm=Algorithm.ED25519, size=256),
    ],
    ids=str,
)
def test_every_kind_of_key_can_be_in_a_jks(
    kind: KeyType, tmp_path: Path, bundle: Callable[[], Bundle], listing: Callable[[Path], str]
) -> None:
    chain = [x509.to_der(pem) for pem in (bundle().certificate, *bundle().chain)]
    entry = KeyEntry("one", x509.encode_key(x509.generate_key(kind)), chain)
    made = x509.facts(bundle().certificate).not_before
    file = tmp_path / "one.jks"
    file.write_bytes(key_store([entry, TrustedEntry("two", chain[1])], Secret(PASSWORD), made))
    told = listing(file)
    assert "Your keystore contains 2 entries" in told
    assert "Certificate chain length: 2" in told


def test_whoever_may_not_read_the_key_may_read_no_keystore(
    make_target: MakeTarget, root: Path, asked: InstallRequest
) -> None:
    make_target(mode=0o640).install(asked)
    for name in FORMS:
        file = root / "web" / "current" / name
        assert stat.S_IMODE(file.stat().st_mode) == 0o640, name


def test_the_password_is_written_nowhere(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest
) -> None:
    target.install(asked)
    for file in root.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert PASSWORD not in content
            assert PASSWORD.decode().encode("utf-16-be") not in content
    assert PASSWORD.decode() not in repr(asked)


def test_a_second_install_of_the_same_changes_nothing_though_salts_are_new(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest
) -> None:
    first = target.install(asked)
    before = (root / "web" / "current" / "keystore.p12").read_bytes()
    again = target.install(replace(asked, predecessor=first))
    assert again == first == only(target)
    assert (root / "web" / "current" / "keystore.p12").read_bytes() == before
    assert listed(root / "web" / "generations") == ["0001"]


def test_another_password_writes_them_anew(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest
) -> None:
    first = target.install(asked)
    other = stores(password=b"another-password", told="cd" * 16)
    assert target.install(replace(asked, predecessor=first, keystores=other)).keystores == "cd" * 16
    content = (root / "web" / "current" / "keystore.p12").read_bytes()
    assert pkcs12.load_key_and_certificates(content, b"another-password")[0] is not None
    with pytest.raises(ValueError, match="password"):
        pkcs12.load_key_and_certificates(content, PASSWORD)


def test_what_is_wanted_of_keystores_is_told_by_who_looks(
    target: LocalDirectoryTarget, asked: InstallRequest
) -> None:
    target.install(asked)
    assert only(target).keystores == DIGEST
    assert only(target).drift == ()


@pytest.mark.parametrize("name", FORMS)
def test_drift_of_a_keystore_is_seen_without_the_password(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest, name: str
) -> None:
    target.install(asked)
    (root / "web" / "current" / name).write_bytes(b"x")
    assert only(target).drift == (f"{name} was changed by hand",)
    (root / "web" / "current" / name).unlink()
    assert only(target).drift == (f"{name} is missing",)


def test_without_anchors_there_is_no_truststore(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest
) -> None:
    target.install(replace(asked, bundle=replace(asked.bundle, anchors=())))
    assert set(FORMS) & set(listed(root / "web" / "current")) == {"keystore.jks", "keystore.p12"}


@pytest.mark.parametrize("password", [b"p\xc3\xa4ss", b"one\ntwo", b"\xff", b"\x00"])
def test_a_password_that_programs_disagree_about_is_refused_and_nothing_is_written(
    target: LocalDirectoryTarget, root: Path, asked: InstallRequest, password: bytes
) -> None:
    with pytest.raises(Rejected, match="printable ASCII") as why:
        target.install(replace(asked, keystores=stores(password=password)))
    assert password.decode("latin-1") not in str(why.value)
    assert not (root / "web").exists()


def test_a_manifest_of_before_tells_of_no_keystores(
    target: LocalDirectoryTarget, root: Path, wanted: Wanted
) -> None:
    target.install(wanted())
    manifest = json.loads((root / "web" / "current" / "certform.json").read_bytes())
    assert "keystores" not in manifest
    assert only(target).keystores == ""
