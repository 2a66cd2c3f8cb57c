"""An offline root's life with the real program: the repository here, the key on a machine without network."""

import hashlib
import json
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from command_line import Repository, environment
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from offline_machine import PASSPHRASE, OfflineMachine

ROOT, SERVICES = "authorities/root.yaml", "authorities/services.yaml"
GONE = """\
apiVersion: certform.dev/v1
kind: Revocation
metadata: {name: gone}
spec: {authorityRef: services, generation: 1, reason: keyCompromise}
"""


@pytest.fixture
def machine(tmp_path: Path) -> OfflineMachine:
    (tmp_path / "offline").mkdir()
    return OfflineMachine(tmp_path / "offline")


@pytest.fixture(scope="module")
def _exported(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository whose root is offline, with a standby of the intermediate, and its request beside it."""
    base = tmp_path_factory.mktemp("ceremony")
    (base / "pki").mkdir()
    made = Repository(base / "pki", environment(base))
    made.run("init", "--template", "mtls", "orders", "payments")
    made.edit(ROOT, "size: 384}", "size: 384, custody: offline}")
    made.edit(SERVICES, "  generation: 1", "  standby: true\n  generation: 1")
    made.edit(
        "certform.yaml",
        "  # publish:\n  #   to: {directory: /srv/pki}",
        "  publish:\n    to: {directory: out/pki}",
    )
    made.edit("certform.yaml", "  #   baseURL", "    baseURL")
    assert "waits for the ceremony" in made.run("plan").stdout
    made.run("apply", "--auto-approve", code=4)
    exported(made)
    return made


@pytest.fixture
def pki(_exported: Repository, tmp_path: Path) -> Repository:
    """The same, for one test to change."""
    shutil.copytree(_exported.root.parent, tmp_path / "copy", symlinks=True)
    return Repository(tmp_path / "copy" / "pki", environment(tmp_path / "copy"))


def exported(pki: Repository) -> tuple[Path, str]:
    """Export a request; return it, and the first groups of the digest that were read aloud."""
    request = pki.root.parent / "request.json"
    told = pki.run("ceremony", "export", "-o", request).stdout
    digest = hashlib.sha256(request.read_bytes()).hexdigest()
    groups = " ".join(digest[at : at + 4] for at in range(0, 32, 4))
    assert groups in told
    return request, digest[:16]


def verified(pki: Repository, name: str, *more: str) -> str:
    """Return what OpenSSL says of a certificate as it is installed, and who issued it."""
    folder = pki.root / "out/tls" / name / "current"
    verify = ["verify", "-CAfile", "trust.pem", "-untrusted", "chain.pem", *more, "cert.pem"]
    issuer = ["x509", "-in", "cert.pem", "-noout", "-issuer"]
    said = [
        subprocess.run(["openssl", *argv], cwd=folder, capture_output=True, text=True, check=False)
        for argv in (verify, issuer)
    ]
    return "".join(done.stdout + done.stderr for done in said)


def test_an_offline_root_from_its_making_to_a_compromise_below_it(
    pki: Repository, machine: OfflineMachine
) -> None:
    request, group = exported(pki)
    machine.run("ceremony", "show", request)
    answer = machine.sign(
        request, "--new-key", "root.key", first_groups=group, passphrases=[PASSPHRASE]
    )
    told = pki.run("ceremony", "import", answer).stdout
    assert told in machine_says(machine, answer)
    pki.run("apply", "--auto-approve")
    assert "No changes." in pki.run("plan").stdout
    assert verified(pki, "orders").startswith("cert.pem: OK\n")
    pki.run("log", "--verify")

    (pki.root / "revocations").mkdir()
    (pki.root / "revocations" / "gone.yaml").write_text(GONE)
    pki.run("apply", "--auto-approve", code=4)
    assert verified(pki, "orders").startswith("cert.pem: OK\n")
    assert "services G2" in verified(pki, "orders")
    planned = pki.run("plan").stdout
    assert "crl/root-g1 is BLOCKED" in planned
    assert "issued" not in planned

    request, group = exported(pki)
    answer = machine.sign(
        request, "--key", "root.key", first_groups=group, passphrases=[PASSPHRASE]
    )
    pki.run("ceremony", "import", answer)
    pki.run("apply", "--auto-approve")
    assert "No changes." in pki.run("plan").stdout
    argv = ["openssl", "crl", "-inform", "DER", "-in", "root-g1.crl", "-text"]
    folder = pki.root / "out/pki"
    shown = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert shown.count("Serial Number") == 1
    assert "Key Compromise" in shown


def machine_says(machine: OfflineMachine, answer: Path) -> str:
    """Return the fingerprints of an answer the way an import tells them."""
    lines = machine.run("ceremony", "show", answer).stdout.splitlines()
    said = []
    for number, line in enumerate(lines):
        if ". " in line[:4]:
            name = (
                line.partition(". ")[2].partition(":")[0].removeprefix("CRL ").partition(" of a")[0]
            )
        if "SIGNED" in line:
            said += [name, f"    SHA-256 {lines[number + 1].strip()}"]
    return "\n".join(said) + "\n"


@pytest.fixture
def asked(_exported: Repository, machine: OfflineMachine) -> str:
    """A request on the machine, and the first groups of its digest."""
    request = (_exported.root.parent / "request.json").read_bytes()
    (machine.folder / "request.json").write_bytes(request)
    return hashlib.sha256(request).hexdigest()[:16]


SIGN = ("ceremony", "sign", "request.json")


def test_a_key_is_made_for_its_owner_alone_and_never_written_over(
    machine: OfflineMachine, asked: str
) -> None:
    new = ("--new-key", "root.key")
    machine.run(*SIGN, *new, typed=asked + "\n", passphrases=[PASSPHRASE])
    key = machine.folder / "root.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    load_pem_private_key(key.read_bytes(), PASSPHRASE.encode())
    made = key.read_bytes()
    told = machine.run(*SIGN, *new, typed=asked + "\n", passphrases=[PASSPHRASE], code=1).stderr
    assert "no key is written over" in told
    assert key.read_bytes() == made


def test_no_key_is_written_over_by_an_answer_or_a_request(
    pki: Repository, machine: OfflineMachine, asked: str
) -> None:
    new = ("--new-key", "root.key")
    told = machine.run(
        *SIGN, *new, "-o", "./root.key", typed=asked + "\n", passphrases=[PASSPHRASE], code=1
    ).stderr
    assert "root.key is a key, and would be written over" in told
    assert not (machine.folder / "root.key").exists()
    machine.run(*SIGN, *new, typed=asked + "\n", passphrases=[PASSPHRASE])
    key = machine.folder / "root.key"
    made = key.read_bytes()
    machine.run(*SIGN, "-o", "root.key", typed=asked + "\n", code=1)
    pki.run("ceremony", "export", "-o", key, code=1)
    assert key.read_bytes() == made


def test_no_key_is_made_where_a_passphrase_of_another_is_too_short(
    machine: OfflineMachine, asked: str
) -> None:
    file = machine.folder / "request.json"
    data = json.loads(file.read_text())
    root = next(c for c in data["certificates"] if c["authority"] == "root")
    other = json.loads(json.dumps(root).replace("root", "tree"))
    other["issuance"]["serial"] = "77"
    data["certificates"].append(other)
    file.write_text(json.dumps(data))
    group = hashlib.sha256((json.dumps(data, indent=1, sort_keys=True) + "\n").encode()).hexdigest()
    new = ("--new-key", "a.key", "--new-key", "b.key")
    passphrases = [PASSPHRASE, "short"]
    told = machine.run(*SIGN, *new, typed=group[:16] + "\n", passphrases=passphrases, code=1)
    assert "fewer than 12 characters" in told.stderr
    assert not [*machine.folder.glob("*.key")]


def test_openssl_opens_the_key_with_the_passphrase(machine: OfflineMachine, asked: str) -> None:
    machine.run(*SIGN, "--new-key", "root.key", typed=asked + "\n", passphrases=[PASSPHRASE])
    argv = ["openssl", "pkey", "-in", "root.key", "-passin", f"pass:{PASSPHRASE}", "-noout"]
    subprocess.run(argv, cwd=machine.folder, check=True)


def test_nothing_is_signed_where_the_digest_is_another_one(
    machine: OfflineMachine, asked: str
) -> None:
    typed = f"{asked[:15]}{int(asked[15], 16) ^ 1:x}"
    new = ("--new-key", "root.key")
    told = machine.run(*SIGN, *new, typed=typed + "\n", passphrases=[PASSPHRASE], code=1).stderr
    assert "that is not how the digest begins: nothing was signed" in told
    assert [path.name for path in machine.folder.iterdir()] == ["request.json"]


def test_an_edited_request_has_another_digest_and_shows_what_it_would_sign(
    machine: OfflineMachine, asked: str
) -> None:
    file = machine.folder / "request.json"
    file.write_text(file.read_text().replace('"pathLength": 0', '"pathLength": 7'))
    told = machine.run("ceremony", "show", "request.json").stdout
    assert "CAs below   7" in told
    assert hashlib.sha256(file.read_bytes()).hexdigest()[:4] in told
    machine.run(*SIGN, "--new-key", "k", typed=asked + "\n", passphrases=[PASSPHRASE], code=1)


@pytest.mark.parametrize(
    ("arguments", "passphrases", "said"),
    [
        (("--new-key", "a.key"), ["short"], "fewer than 12 characters"),
        (("--new-key", "a.key", "--new-key", "b.key"), [PASSPHRASE], "1 keys are to be made"),
        (("--key", "missing.key"), [PASSPHRASE], "missing.key cannot be read"),
        (("--key", "request.json"), [PASSPHRASE], "holds no key"),
        ((), [], "no key that was given is asked to sign"),
        (("--pkcs11", "pkcs11:token=x;object=y"), [], "needs --module"),
        (("--pkcs11", "pkcs11:token=x", "--module", "/x.so"), [], "must name its key"),
        (("--pkcs11", "pkcs11:token=x;object=y", "--module", "x.so"), [], "--module must be"),
    ],
)
def test_what_cannot_sign_is_told(
    machine: OfflineMachine,
    asked: str,
    arguments: tuple[str, ...],
    passphrases: list[str],
    said: str,
) -> None:
    told = machine.run(*SIGN, *arguments, typed=asked + "\n", passphrases=passphrases, code=1)
    assert said in told.stderr
    assert not (machine.folder / "answer.json").exists()


def test_a_key_of_nobody_is_told_and_so_is_another_passphrase(
    machine: OfflineMachine, asked: str
) -> None:
    argv = ["openssl", "genpkey", "-algorithm", "ED25519", "-out", "other.key"]
    subprocess.run(argv, cwd=machine.folder, check=True)
    told = machine.run(*SIGN, "--key", "other.key", typed=asked + "\n", code=1).stderr
    assert "is of no CA that has to sign here" in told
    machine.run(*SIGN, "--new-key", "root.key", typed=asked + "\n", passphrases=[PASSPHRASE])
    typed = asked + "\n"
    wrong = machine.run(*SIGN, "--key", "root.key", typed=typed, passphrases=["x" * 20], code=1)
    assert "that this passphrase opens" in wrong.stderr
    assert "x" * 20 not in wrong.stderr + wrong.stdout


def test_an_answer_that_was_changed_is_refused_whole(
    pki: Repository, machine: OfflineMachine, asked: str
) -> None:
    machine.run(*SIGN, "--new-key", "root.key", typed=asked + "\n", passphrases=[PASSPHRASE])
    answer = machine.folder / "answer.json"
    data = json.loads(answer.read_text())
    tip = pki.run("log").stdout
    certificates = sorted(data["certificates"].items())
    data["certificates"][certificates[0][0]] = certificates[1][1]
    answer.write_text(json.dumps(data))
    told = pki.run("ceremony", "import", answer, code=1).stderr
    assert "nothing of it was recorded" in told
    assert pki.run("log").stdout == tip


def test_what_is_no_answer_is_told(pki: Repository, tmp_path: Path) -> None:
    request, _ = exported(pki)
    assert (
        "is a request, and not an answer" in pki.run("ceremony", "import", request, code=1).stderr
    )
    other = tmp_path / "other.json"
    other.write_text("{}")
    told = pki.run("ceremony", "import", other, code=1).stderr
    assert "is no ceremony file" in told


def test_where_nothing_waits_no_request_is_written(applied: Repository, tmp_path: Path) -> None:
    out = tmp_path / "request.json"
    told = applied.run("ceremony", "export", "-o", out)
    assert "Nothing waits for an offline key." in told.stdout
    assert not out.exists()
