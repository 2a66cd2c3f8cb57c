"""Names that stand in certificates of others, read from their bytes to be written as they are."""

from cryptography import x509


def _length(content: int) -> bytes:
    if content < 0x80:
        return bytes([content])
    size = content.to_bytes((content.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(size)]) + size


def _wrapped(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag]) + _length(len(content)) + content


_KEY = bytes.fromhex("302a300506032b6570032100") + bytes(32)
"""Any key: nobody looks at it."""


def decode_name(der: bytes) -> x509.Name:
    """Return a name that will be written as the bytes (DER) it is read from; raises ValueError.

    Only whole structures can be read: it is made the subject of a signing request (RFC 2986) that
    nobody signed.
    """
    asked = _wrapped(0x30, b"\x02\x01\x00", der, _KEY, b"\xa0\x00")
    algorithm = bytes.fromhex("300506032b6570")  # any: the signature is empty, and not looked at
    return x509.load_der_x509_csr(_wrapped(0x30, asked, algorithm, b"\x03\x01\x00")).subject
