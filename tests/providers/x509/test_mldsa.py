"""ML-DSA (FIPS 204, RFC 9881), judged by cryptography's own verification: OpenSSL knows it from 3.5 on."""

import pytest
from cryptography import x509 as cx
from cryptography.exceptions import InvalidSignature
from key_kinds import KINDS, ML_DSA
from pki_house import House

from providers import mldsa, x509
from providers.remote import prove, verifies
from providers.secret import Secret
from providers.signer import PrivateKey, PublicKey, builder_key, sign_with
from providers.x509.keys import decode_key_file, decode_spki
from providers.x509.ordering import signing_request
from providers.x509.signing_request import requested_key
from schemas.request import KeyType

OIDS = {44: "2.16.840.1.101.3.4.3.17", 65: "2.16.840.1.101.3.4.3.18", 87: "2.16.840.1.101.3.4.3.19"}
"""RFC 9881 section 2."""


class Elsewhere:
    """A signer that gives nothing but signatures."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key

    def public_key(self) -> PublicKey:
        return self._key.public_key()

    def sign(self, data: bytes, /) -> bytes:
        return sign_with(self._key, data)


@pytest.mark.parametrize("kind", ML_DSA, ids=str)
def test_every_parameter_set_is_made_stored_and_told_apart(kind: KeyType) -> None:
    key = x509.generate_key(kind)
    assert x509.key_type(key.public_key()) == (kind.algorithm, kind.size)
    stored = x509.encode_key(key)
    assert len(stored.reveal()) == 54, "the seed alone: RFC 9881 section 6"
    assert x509.encode_key(x509.decode_key(stored)).reveal() == stored.reveal()
    assert decode_key_file(x509.key_pem(stored)).public_key() == key.public_key()
    assert decode_spki(x509.spki(key.public_key())) == key.public_key()
    assert str(kind) == f"ML-DSA-{kind.size}"


@pytest.mark.parametrize("kind", ML_DSA, ids=str)
def test_a_hierarchy_of_it_holds_and_says_which_it_is(house: House, kind: KeyType) -> None:
    root = house.root(key=kind)
    issuing = house.below(root, "Issuing", key=kind)
    tbs = house.tbs(house.leaf_request(key=kind))
    signed = [x509.sign(tbs, issuing.authority, issuing.signer) for _ in range(2)]
    leaf, again = (cx.load_der_x509_certificate(der) for der in signed)
    leaf.verify_directly_issued_by(cx.load_der_x509_certificate(issuing.der))
    cx.load_der_x509_certificate(issuing.der).verify_directly_issued_by(
        cx.load_der_x509_certificate(root.der)
    )
    assert leaf.signature_algorithm_oid.dotted_string == OIDS[kind.size]
    assert len(leaf.signature) == mldsa.SIGNATURES[kind.size]
    usage = leaf.extensions.get_extension_for_class(cx.KeyUsage).value
    assert (usage.digital_signature, usage.key_encipherment) == (True, False)
    assert leaf.tbs_certificate_bytes == again.tbs_certificate_bytes
    assert leaf.signature != again.signature, "a signature takes fresh random numbers"


@pytest.mark.parametrize("kind", ML_DSA, ids=str)
def test_a_key_that_is_elsewhere_signs_and_is_never_given_away(house: House, kind: KeyType) -> None:
    made = house.root(key=kind)
    elsewhere = Elsewhere(house.key(kind))
    prove(elsewhere)
    der = x509.sign(house.tbs(house.leaf_request()), made.authority, elsewhere)
    root = cx.load_der_x509_certificate(made.der)
    cx.load_der_x509_certificate(der).verify_directly_issued_by(root)
    with pytest.raises(TypeError, match="never leaves"):
        x509.encode_key(builder_key(elsewhere))
    signature = elsewhere.sign(b"challenge")
    assert verifies(elsewhere.public_key(), signature, b"challenge")
    assert not verifies(elsewhere.public_key(), signature, b"another")


def test_a_signature_of_another_ca_is_told(house: House) -> None:
    mine, theirs = house.root(key=ML_DSA[1]), house.root(key=KINDS[3])
    leaf = x509.sign(house.tbs(house.leaf_request()), mine.authority, mine.signer)
    root = cx.load_der_x509_certificate(theirs.der)
    with pytest.raises((InvalidSignature, TypeError, ValueError)):
        cx.load_der_x509_certificate(leaf).verify_directly_issued_by(root)


def test_a_crl_by_it_is_taken_for_its_cas_alone(house: House) -> None:
    made = house.root(key=ML_DSA[0])
    crl = x509.Crl(7, house.now, house.now.replace(year=house.now.year + 1), {})
    der = x509.sign_crl(crl, made.authority, made.signer)
    assert x509.crl_is_by(der, made.der)
    assert not x509.crl_is_by(der, house.root(key=KINDS[3]).der)


def test_a_signing_request_by_it_is_read(house: House) -> None:
    key = x509.encode_key(x509.generate_key(ML_DSA[1]))
    der = signing_request(house.leaf_request(key=ML_DSA[1]), key)
    assert requested_key(der)[0] == ML_DSA[1]


def test_an_odd_parameter_set_is_not_made() -> None:
    with pytest.raises(ValueError, match="ML-DSA-50 keys are not supported"):
        mldsa.generate(50)


def test_a_key_file_that_is_none_tells_nothing_of_what_it_holds() -> None:
    secret = "hunter2"
    with pytest.raises(ValueError, match="no private key in PEM or DER") as refused:
        decode_key_file(Secret(secret.encode()))
    assert secret not in str(refused.value)
