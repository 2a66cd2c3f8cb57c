"""What published files and the lists in them are called, and which list a certificate may be in."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # validate reads no ledger
    from reconciler.ledger.publications import CrlKey
    from reconciler.ledger.records import Issuance

_ADDRESS = re.compile(r"(?P<name>.+)-g(?P<generation>\d+)(?:-s(?P<shard>\d+))?")
_SHARD = re.compile(r"-s([1-9][0-9]*)\.crl$")


def file_name(authority: str, generation: int, suffix: str, shard: int | None = None) -> str:
    """Return the file name, also the last part of the URL, of a CA's `crl` or `crt`."""
    return f"{_stem(authority, generation, shard)}.{suffix}"


def list_address(key: "CrlKey") -> str:
    """Return the address of a CRL in a plan: `crl/services-g1`, or `crl/services-g1-s3` of a shard."""
    return f"crl/{_stem(*key)}"


def list_key(address: str) -> "CrlKey":
    """Return which list, or which CA's file, an address is of; raises ValueError for any other."""
    found = _ADDRESS.fullmatch(address.partition("/")[2])
    if found is None:
        raise ValueError(address)
    shard = found["shard"]
    return found["name"], int(found["generation"]), int(shard) if shard else None


def shard_of(serial: str, shards: int) -> int | None:
    """Return which part of a CA's list a new certificate may be in; None where the list has none."""
    return int(serial, 16) % shards + 1 if shards > 1 else None


def shard_named(issuance: "Issuance") -> int | None:
    """Return which shard a certificate names; None where it names the whole list, or none."""
    url = issuance.urls.crl
    found = _SHARD.search(url) if url is not None and "-s" in url else None
    issuer, generation = issuance.request.issuer, issuance.request.issuer_generation
    if found is None or url is None or issuer is None or generation is None:
        return None
    number = int(found[1])
    named = url.rpartition("/")[2] == file_name(issuer, generation, "crl", number)
    return number if named else None


def _stem(authority: str, generation: int, shard: int | None = None) -> str:
    part = "" if shard is None else f"-s{shard}"
    return f"{authority}-g{generation}{part}"
