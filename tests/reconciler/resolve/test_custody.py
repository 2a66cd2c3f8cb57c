"""CA keys at key services, as documents speak of them: what cannot be is told with its place."""

from collections.abc import Callable

import pytest

from reconciler.repository import Examination

ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GCP = "projects/example-pki/locations/global/keyRings/ca/cryptoKeys/k/cryptoKeyVersions/1"
TOKEN = "pkcs11:token=ca;object=services"
AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
CA = """\
kind: Authority
metadata: {name: %s}
spec:
  parentRef: root
  commonName: Example %s
  privateKey:
"""


def authority(name: str, *lines: str) -> str:
    return (CA % (name, name)) + "".join(f"    {line}\n" for line in lines)


def test_a_key_at_a_service_is_asked_for_and_has_no_recipients(
    examined: Callable[..., Examination],
) -> None:
    found = examined({"authorities/s.yaml": authority("remote", f"custody: {{aws-kms: {ARN}}}")})
    assert found.desired is not None
    desired = found.desired.authorities["remote"]
    assert desired.custody is not None
    assert desired.request.key_ref == desired.custody.reference == f"aws-kms:{ARN}"
    assert desired.recipients == ()


def test_custody_in_the_ledger_says_what_it_always_said(
    examined: Callable[..., Examination],
) -> None:
    said = examined({"authorities/s.yaml": authority("kept", "custody: ledger")}).desired
    silent = examined({"authorities/s.yaml": authority("kept", "algorithm: ECDSA")}).desired
    assert said is not None
    assert silent is not None
    assert said.authorities["kept"] == silent.authorities["kept"]
    assert "keyRef" not in said.authorities["kept"].request.to_json()


@pytest.mark.parametrize(
    ("lines", "line", "said", "hint"),
    [
        (
            ("custody:", f"  aws-kms: {ARN.replace(':key/', ':alias/')}"),
            8,
            "an alias can be moved to another key",
            "",
        ),
        (("custody:", "  aws-kmz: x"), 8, "aws-kmz is not a field", "aws-kms"),
        (
            ("custody:", f"  aws-kms: {ARN}", f"recipients: [{{age: {AGE}}}]"),
            9,
            "has no recipients",
            "leave recipients out",
        ),
        (
            ("custody:", "  pkcs11:", f"    key: {TOKEN}", "    module: lib/evil.so"),
            10,
            "never of the repository",
            "",
        ),
        (("custody:", f"  pkcs11: {{key: {TOKEN}}}"), 8, "pkcs11.module is missing", "softhsm"),
        (
            (
                *("custody:", "  pkcs11:", f"    key: {TOKEN}", "    module: /usr/lib/hsm.so"),
                "    pinSecretRef: {name: hsm.sops.yaml, key: pin}",
            ),
            11,
            "hsm.sops.yaml",
            "",
        ),
        (
            ("algorithm: Ed25519", f"custody: {{pkcs11: {{key: {TOKEN}, module: /usr/lib/x.so}}}}"),
            6,
            "pkcs11 signs with no Ed25519 key",
            "RSA 2048, 3072, 4096",
        ),
        (
            ("algorithm: Ed25519", f"custody: {{aws-kms: {ARN}}}"),
            6,
            "aws-kms signs with no Ed25519 key",
            "RSA 2048, 3072, 4096",
        ),
        (
            ("algorithm: RSA", "size: 3072", f"custody: {{gcp-kms: {GCP}}}"),
            6,
            "gcp-kms signs with no RSA 3072 key",
            "RSA 2048, 4096",
        ),
    ],
)
def test_what_cannot_be_is_told_at_its_line(
    examined: Callable[..., Examination], lines: tuple[str, ...], line: int, said: str, hint: str
) -> None:
    found = examined({"authorities/s.yaml": authority("remote", *lines)})
    assert found.desired is None
    (problem,) = found.diagnostics
    assert said in problem.summary
    assert hint in problem.hint
    assert problem.source is not None
    assert (problem.source.file, problem.source.line) == ("authorities/s.yaml", line)


def test_two_cas_have_two_keys(examined: Callable[..., Examination]) -> None:
    custody = f"custody: {{aws-kms: {ARN}}}"
    files = {
        "authorities/a.yaml": authority("a", custody),
        "authorities/b.yaml": authority("b", custody),
    }
    (problem,) = examined(files).diagnostics
    assert problem.summary == "the key of b is that of a, too"
    assert problem.source is not None
    assert problem.source.file == "authorities/b.yaml"


def test_the_file_of_a_token_s_pin_is_read_and_not_opened(
    examined: Callable[..., Examination],
) -> None:
    pin = "pinSecretRef: {name: secrets/hsm.sops.yaml, key: pin}"
    custody = f"custody: {{pkcs11: {{key: {TOKEN}, module: /usr/lib/x.so, {pin}}}}}"
    files = {"authorities/s.yaml": authority("hsm", custody), "secrets/hsm.sops.yaml": "sealed\n"}
    desired = examined(files).accepted().authorities["hsm"]
    assert desired.sealed == b"sealed\n"
    assert "sealed" not in repr(desired)


OFFLINE_ROOT = """\
kind: Authority
metadata: {name: vault}
spec: {commonName: Example Vault, privateKey: {custody: offline}}
"""


def test_an_offline_key_has_no_recipients(examined: Callable[..., Examination]) -> None:
    written = OFFLINE_ROOT.replace(
        "custody: offline", f"custody: offline, recipients: [{{age: {AGE}}}]"
    )
    (problem,) = examined({"authorities/s.yaml": written}).diagnostics
    assert "has no recipients" in problem.summary


def test_an_offline_ca_signs_no_leaf(examined: Callable[..., Examination]) -> None:
    leaf = "kind: Certificate\nmetadata: {name: one}\nspec:\n  issuerRef: vault\n  dnsNames: [a.example]\n"
    files = {"authorities/s.yaml": OFFLINE_ROOT, "one.yaml": leaf}
    (problem,) = examined(files).diagnostics
    assert problem.summary == "vault is offline: a ceremony signs CAs, and no leaf"
    assert problem.source is not None
    assert (problem.source.file, problem.source.line) == ("one.yaml", 4)


def test_a_ca_below_an_offline_one_may_be_offline_and_above_it_none_may_not(
    examined: Callable[..., Examination],
) -> None:
    below = authority("below", "custody: offline").replace("parentRef: root", "parentRef: vault")
    files = {"authorities/s.yaml": OFFLINE_ROOT, "authorities/t.yaml": below}
    assert examined(files).desired is not None
    (problem,) = examined(
        {"authorities/t.yaml": authority("below", "custody: offline")}
    ).diagnostics
    assert problem.summary.startswith("below is offline, and its parent root is not")
    assert problem.source is not None
    assert problem.source.line == 7
