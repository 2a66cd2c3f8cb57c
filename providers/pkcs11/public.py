"""The public half of a key in a token: tokens keep it as an object of its own, or beside the private one."""

from collections.abc import Mapping
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pkcs11 import Attribute, KeyType, Object, ObjectClass, PrivateKey

from providers.errors import Conflict
from providers.signer import PublicKey

_CURVES: Mapping[bytes, ec.EllipticCurve] = {
    bytes.fromhex("06082a8648ce3d030107"): ec.SECP256R1(),
    bytes.fromhex("06052b81040022"): ec.SECP384R1(),
    bytes.fromhex("06052b81040023"): ec.SECP521R1(),
}
"""The curves a CA key may be on, by their CKA_EC_PARAMS (RFC 5480 section 2.1.1.1)."""


def half_of(private: PrivateKey) -> PublicKey:
    """Return the public half; ValueError or `Conflict` where it is of no use, and what the token raises.

    Whether it belongs to the private key shows at the first signature, which it has to verify.
    """
    objects = [each for each in (_beside(private), private) if each is not None]
    kind = private[Attribute.KEY_TYPE]
    if kind is KeyType.RSA:
        modulus, exponent = (
            _first(objects, Attribute.MODULUS),
            _first(objects, Attribute.PUBLIC_EXPONENT),
        )
        numbers = rsa.RSAPublicNumbers(int.from_bytes(exponent), int.from_bytes(modulus))
        return numbers.public_key()
    if kind is KeyType.EC:
        return _on_a_curve(
            _first(objects, Attribute.EC_PARAMS), _first(objects, Attribute.EC_POINT)
        )
    raise Conflict("it is neither an RSA nor an ECDSA key")


def _on_a_curve(parameters: bytes, point: bytes) -> PublicKey:
    curve = _CURVES.get(parameters)
    if curve is None:
        raise Conflict("its curve is none of P-256, P-384 and P-521")
    length = 1 + 2 * ((curve.key_size + 7) // 8)  # some tokens leave out the OCTET STRING around it
    return ec.EllipticCurvePublicKey.from_encoded_point(curve, point[-length:])


def _beside(private: PrivateKey) -> Object | None:
    """Return the public object with the id of a private key, or else its label."""
    for attribute in (Attribute.ID, Attribute.LABEL):
        value = _said(private, attribute)
        if value:
            wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, attribute: value}
            found = list(private.session.get_objects(wanted))
            if len(found) == 1:
                return found[0]
    return None


def _first(objects: list[Object], attribute: Attribute) -> bytes:
    for each in objects:
        value = _said(each, attribute)
        if value:
            return bytes(value)
    raise Conflict(
        "its public half is not in the token: write it there, with the same id as the private key"
    )


def _said(found: Object, attribute: Attribute) -> Any:
    try:
        return found[attribute]
    except (pkcs11.AttributeTypeInvalid, pkcs11.AttributeSensitive):
        return None
