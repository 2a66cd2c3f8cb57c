"""CA keys in a real token: every kind of key signs, stays where it is, and what goes wrong is told."""

from pathlib import Path

import pkcs11
import pytest
import softhsm
from cryptography import x509 as pyca
from key_kinds import P256
from pkcs11 import TokenFlag
from pki_house import House
from remote_keys import sign_all
from softhsm import PIN, SoftHsm, named

from providers import x509
from providers.errors import Ambiguous, Conflict, Denied, NotFound, Unreachable
from providers.pkcs11.module import load
from providers.pkcs11.signer import PIN as VARIABLE
from providers.pkcs11.tokens import require_tries
from providers.remote import prove, verifies
from providers.secret import Secret
from providers.signer import Signer
from providers.signers import open_signer
from schemas.custody import SIGNS, RemoteKey
from schemas.request import KeyType

KINDS = [
    KeyType(algorithm=algorithm, size=size)
    for algorithm, sizes in SIGNS["pkcs11"].items()
    for size in sizes
]


@pytest.fixture(scope="module")
def house() -> House:
    return House()


@pytest.fixture
def key(hsm: SoftHsm) -> RemoteKey:
    return hsm.key("ca", "root", P256)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_kind_of_key_signs_certificates_and_crls(
    hsm: SoftHsm, house: House, kind: KeyType, tmp_path: Path
) -> None:
    signed = sign_all(house, open_signer(hsm.key("ca", "root", kind)), kind, entries=3)
    root = pyca.load_der_x509_certificate(signed.root)
    root.verify_directly_issued_by(root)
    assert x509.crl_is_by(signed.crl, signed.root)
    assert signed.judge(tmp_path) == "leaf.pem: OK\n"


@pytest.mark.parametrize("kind", KINDS[:1] + KINDS[3:4], ids=str)
def test_a_key_never_leaves_its_token(hsm: SoftHsm, kind: KeyType) -> None:
    prove(open_signer(hsm.key("ca", "root", kind)))
    with pytest.raises(pkcs11.AttributeSensitive):
        softhsm.extracted("ca", "root")


@pytest.mark.parametrize("template", [{"EXTRACTABLE": True}, {"SENSITIVE": False}])
def test_a_key_that_could_leave_it_is_refused(hsm: SoftHsm, template: dict[str, bool]) -> None:
    key = hsm.key("ca", "root", P256, **template)
    with pytest.raises(Conflict, match="can be read out of its token"):
        open_signer(key).public_key()


def test_a_key_that_is_not_for_signing_is_refused(hsm: SoftHsm) -> None:
    with pytest.raises(Conflict, match="CKA_SIGN"):
        open_signer(hsm.key("ca", "root", P256, SIGN=False)).public_key()


@pytest.mark.parametrize(
    "uri", ["pkcs11:token=ca;id=root", "pkcs11:token=ca;object=root;id=%72oot"]
)
def test_a_key_is_found_by_its_id_too(key: RemoteKey, uri: str) -> None:
    found = open_signer(named(uri)).public_key()
    assert found == open_signer(key).public_key()


def test_opening_loads_no_module(hsm: SoftHsm) -> None:
    open_signer(named("pkcs11:token=ca;object=root", "/nowhere.so"))


def test_two_keys_of_a_token_take_one_login(hsm: SoftHsm, key: RemoteKey) -> None:
    other, asked = hsm.key("ca", "other", P256), []

    def pin() -> Secret:
        asked.append(1)
        return Secret(PIN.encode())

    for each in (key, other):
        prove(open_signer(with_secret(each), pin))
    assert asked == [1]


def with_secret(key: RemoteKey) -> RemoteKey:
    secret = {"name": "hsm.sops.yaml", "key": "pin"}
    return RemoteKey.model_validate({"pkcs11": {**key.settings.to_json(), "pinSecretRef": secret}})


def test_a_wrong_pin_is_tried_once_for_all_keys_of_a_token(
    hsm: SoftHsm, key: RemoteKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "999999")
    other = hsm.key("ca", "other", P256)
    for each in (key, key, other):
        with pytest.raises(Denied, match="not tried again: after a few") as caught:
            open_signer(each).public_key()
        assert "999999" not in str(caught.value)
        assert "pkcs11:token=ca" in str(caught.value)
        monkeypatch.setenv(VARIABLE, PIN)  # this process does not believe it any more


def test_no_pin_is_tried_where_one_more_wrong_one_would_lock_the_token() -> None:
    """SoftHSM never locks itself, so its flags cannot be had from there."""
    require_tries(TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_COUNT_LOW)
    for flag in (TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED):
        with pytest.raises(Denied, match="lock"):
            require_tries(TokenFlag.TOKEN_INITIALIZED | flag)


def test_without_a_pin_it_is_said_where_it_belongs(
    key: RemoteKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(Denied, match=f"set {VARIABLE}, or name a sops file in pinSecretRef"):
        open_signer(key).public_key()


def test_a_token_that_was_lost_is_told_and_signs_on_when_it_is_back(
    hsm: SoftHsm, key: RemoteKey, tmp_path: Path
) -> None:
    signer = open_signer(key)
    prove(signer)
    away(hsm, tmp_path)
    with pytest.raises((Unreachable, NotFound)) as caught:
        signer.sign(b"x")
    assert "put it" in str(caught.value)
    with pytest.raises(NotFound, match="no token that is here fits"):
        signer.sign(b"x")
    back(hsm, tmp_path)
    assert verifies(signer.public_key(), signer.sign(b"x"), b"x")


def test_a_session_that_was_closed_is_told_and_the_next_use_opens_another(key: RemoteKey) -> None:
    signer = open_signer(key)
    prove(signer)
    load(softhsm.MODULE).reinitialize()  # as after a restart of the token's service
    with pytest.raises(Unreachable, match="opens a new session"):
        signer.sign(b"x")
    assert verifies(signer.public_key(), signer.sign(b"x"), b"x")


def away(hsm: SoftHsm, tmp_path: Path) -> None:
    (hsm.folder / "tokens").rename(tmp_path / "drawer")
    (hsm.folder / "tokens").mkdir()


def back(hsm: SoftHsm, tmp_path: Path) -> None:
    (hsm.folder / "tokens").rmdir()
    (tmp_path / "drawer").rename(hsm.folder / "tokens")


def test_two_tokens_of_one_label_are_told_apart_by_their_serial_numbers(hsm: SoftHsm) -> None:
    hsm.key("ca", "root", P256)
    hsm.token("ca")
    load(softhsm.MODULE).reinitialize()
    with pytest.raises(Ambiguous, match="2 tokens fit") as caught:
        open_signer(named("pkcs11:token=ca;object=root")).public_key()
    assert str(caught.value).count("slot-id=") == 2
    serials = [
        s.partition("=")[2].rstrip(");,") for s in str(caught.value).split() if "(serial=" in s
    ]
    found = [holds(f"pkcs11:token=ca;serial={serial};object=root") for serial in serials]
    assert sorted(found) == [False, True]


def holds(uri: str) -> bool:
    try:
        open_signer(named(uri)).public_key()
    except NotFound:
        return False
    return True


def test_two_keys_of_one_label_are_told_apart_by_their_ids(hsm: SoftHsm) -> None:
    hsm.key("ca", "root", P256)
    hsm.key("ca", "root", P256, ID=b"other")
    with pytest.raises(Ambiguous, match="2 private keys of the token fit: id=%"):
        open_signer(named("pkcs11:token=ca;object=root")).public_key()


def test_a_token_or_key_that_is_not_there_is_told(hsm: SoftHsm) -> None:
    for uri in ("pkcs11:token=cb;object=root", "pkcs11:token=ca;object=stem"):
        with pytest.raises(NotFound) as caught:
            open_signer(named(uri)).public_key()
        assert uri in str(caught.value)


def test_a_key_whose_document_is_gone_says_what_is_missing() -> None:
    signer: Signer = open_signer(RemoteKey.named("pkcs11:pkcs11:token=ca;object=root"))
    with pytest.raises(Conflict, match="give it back its custody"):
        signer.public_key()
