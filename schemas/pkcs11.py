"""PKCS#11 URIs (RFC 7512) that name one private key in one token, each in one spelling."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote, unquote_to_bytes

_ATTRIBUTE = re.compile(r"([a-z-]+)=((?:[A-Za-z0-9._~\[\]:@!$'()*+,&/-]|%[0-9A-Fa-f]{2})+)")
_EXAMPLE = "such as pkcs11:token=ca;object=root"
_TOKEN, _KEY = ("token", "serial", "slot-id"), ("object", "id")
_PLAIN = ":[]@!$'()*+,&"
"""What may stand in a path attribute as it is (RFC 7512 section 2.3), beside letters and digits."""
_PIN = re.compile(r"(pin-(?:value|source)=)[^;&?'\"\s]*")


def without_pin(text: str) -> str:
    """Return a text to be shown, without a PIN that somebody wrote into a URI (RFC 7512 section 2.4)."""
    return _PIN.sub(r"\1...", text) if "pin-" in text else text


@dataclass(frozen=True, slots=True)
class KeyUri:
    """Which key is meant: by its token's label, serial number or slot, its own label (`object`) or id."""

    token: str | None = None
    serial: str | None = None
    slot: int | None = None
    label: str | None = None
    id: bytes | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a URI; raises ValueError, which says what is wrong with it."""
        scheme, _, path = text.partition(":")
        if scheme != "pkcs11" or not path:
            raise ValueError(f"must be a PKCS#11 URI (RFC 7512) {_EXAMPLE}")
        if "?" in path or "pin-" in path:
            raise ValueError(
                f"must be {_EXAMPLE}, with nothing after it: a PIN is no part of it, but in the sops file"
                " that pinSecretRef names"
            )
        return cls._of(_attributes(path))

    @classmethod
    def _of(cls, said: dict[str, bytes]) -> Self:
        if said.pop("type", b"private") != b"private":
            raise ValueError("must name a private key (type=private, or no type)")
        if not said.keys() & set(_TOKEN):
            raise ValueError("must name its token by token=, serial= or slot-id=")
        if not said.keys() & set(_KEY):
            raise ValueError("must name its key by object= or id=: a token may hold others")
        texts = {name: _text(name, value) for name, value in said.items() if name != "id"}
        slot = texts.get("slot-id")
        if slot is not None and not (slot.isascii() and slot.isdecimal() and len(slot) < 20):
            raise ValueError("must give slot-id as a decimal number")
        return cls(
            token=texts.get("token"),
            serial=texts.get("serial"),
            slot=None if slot is None else int(slot),
            label=texts.get("object"),
            id=said.get("id"),
        )

    def __str__(self) -> str:
        written = {
            "token": _quoted(self.token),
            "serial": _quoted(self.serial),
            "slot-id": None if self.slot is None else str(self.slot),
            "object": _quoted(self.label),
            "id": None if self.id is None else "".join(f"%{octet:02x}" for octet in self.id),
        }
        return "pkcs11:" + ";".join(f"{name}={v}" for name, v in written.items() if v is not None)


def normalised(text: str) -> str:
    """Return the one spelling of a URI: attributes in one order, nothing encoded that need not be."""
    return str(KeyUri.parse(text))


def _attributes(path: str) -> dict[str, bytes]:
    said: dict[str, bytes] = {}
    for part in path.split(";"):
        found = _ATTRIBUTE.fullmatch(part)
        if found is None:
            raise ValueError(f"must be attributes with values, joined by `;`, {_EXAMPLE}")
        name, value = found.groups()
        if name not in (*_TOKEN, *_KEY, "type"):
            raise ValueError(f"must name token, serial, slot-id, object and id alone, not {name}")
        if name in said:
            raise ValueError(f"must give {name} once")
        said[name] = unquote_to_bytes(value)
    return said


def _text(name: str, value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise ValueError(f"must give {name} in UTF-8") from None
    if not text.isprintable():
        raise ValueError(f"must give {name} in printable characters")
    return text


def _quoted(text: str | None) -> str | None:
    return None if text is None else quote(text, safe=_PLAIN)
