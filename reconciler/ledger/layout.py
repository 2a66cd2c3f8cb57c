"""Which file of the ledger's tree holds which record, and how a record is written."""

import hashlib
import re
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from providers.errors import Conflict
from providers.sops.recipients import recipients_of
from reconciler.errors import LedgerRefused
from reconciler.ledger.contract import Wave
from reconciler.ledger.issuing import AdviceRecord, SpendingRecord
from reconciler.ledger.publications import CrlRecord, OcspRecord
from reconciler.ledger.records import AuthorityRecord, CertificateRecord, Lineage, PastRecord
from reconciler.ledger.trust import TrustRecord
from schemas.base import Model

LINEAGE = "lineage.json"
KEYRING = "keyring.sops.json"
_AUTHORITIES, _CERTIFICATES, _CRLS = "authorities/", "certificates/", "crls/"
_OCSP, _PAST, _TRUST = "ocsp/", "past/", "trust/"
_SPENDING, _ADVICE = "spending/", "advice/"
_KEY_SUFFIX = ".key.sops.json"
_AUTHORITY_KEY = re.compile(
    rf"{_AUTHORITIES}(?P<name>.+)\.g(?P<generation>[0-9]+){re.escape(_KEY_SUFFIX)}"
)

Record = TypeVar("Record", bound=Model)


def certificate_path(name: str) -> str:
    """Return where a certificate's record lies: 256 folders, so that a tree stays small."""
    return f"{_CERTIFICATES}{hashlib.sha256(name.encode()).hexdigest()[:2]}/{name}.json"


def authority_path(name: str) -> str:
    """Return where an authority's record lies."""
    return f"{_AUTHORITIES}{name}.json"


def authority_key_path(name: str, generation: int) -> str:
    """Return where the ciphertext of a CA key lies."""
    return f"{_AUTHORITIES}{name}.g{generation}{_KEY_SUFFIX}"


def crl_path(authority: str, generation: int, shard: int | None = None) -> str:
    """Return where the record of a CA generation's last CRL, or of one shard of it, lies."""
    part = "" if shard is None else f".s{shard}"
    return f"{_CRLS}{authority}.g{generation}{part}.json"


def generation_path(folder: str, authority: str, generation: int) -> str:
    """Return where a record of one CA generation lies in a folder."""
    return f"{folder}{authority}.g{generation}.json"


def ocsp_path(authority: str, generation: int) -> str:
    """Return where the record of a CA generation's OCSP responses lies."""
    return generation_path(_OCSP, authority, generation)


def past_path(authority: str, generation: int) -> str:
    """Return where the record of what a CA generation did before it was taken over lies."""
    return generation_path(_PAST, authority, generation)


def trust_path(name: str) -> str:
    """Return where the record of a Bundle lies."""
    return f"{_TRUST}{name}.json"


def spending_path(issuer: str, day: str) -> str:
    """Return where the record of what was asked of a CA of others on one day lies."""
    return f"{_SPENDING}{issuer}/{day}.json"


def advice_path(issuer: str) -> str:
    """Return where the record of what a CA of others advises lies."""
    return f"{_ADVICE}{issuer}.json"


def belongs_to(address: str, path: str) -> bool:
    """Whether a file holds what is recorded of `certificate/NAME` or `authority/NAME`, CRLs included."""
    kind, _, name = address.partition("/")
    if kind == "certificate":
        return path == certificate_path(name)
    if kind == "bundle":
        return path == trust_path(name)
    parts = tuple(f"{folder}{name}.g" for folder in (_CRLS, _OCSP, _PAST))
    return kind == "authority" and (path == authority_path(name) or path.startswith(parts))


def encode(record: Model) -> bytes:
    """Return a record's one text: JSON, fields in the order of the model, one a line."""
    text: str = record.__pydantic_serializer__.to_json(
        record, indent=1, exclude_none=True, by_alias=True
    ).decode()
    return f"{text}\n".encode()


def decode(model: type[Record], path: str, content: bytes) -> Record:
    """Return the record in a file; `LedgerRefused` when it is damaged or of another format."""
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        place = ".".join(str(part) for part in error.errors(include_input=False)[0]["loc"])
        raise LedgerRefused(
            f"the ledger's file {path} is not a {model.__name__} this version knows"
            + (f" (at {place})" if place else ""),
            hint="a newer certform may have written it; if not, see `certform ledger recover`",
        ) from None


def is_record(path: str) -> bool:
    """Whether a file holds a record, not ciphertext."""
    return path.endswith(".json") and not path.endswith(".sops.json")


def is_read(path: str) -> bool:
    """Whether a reader of the ledger looks into a file: at a record, or at who can open a key."""
    return path.endswith(".json")


def model_of(path: str) -> type[Model] | None:
    """Return the model of the record at a path; None where there is ciphertext or what is unknown."""
    if path == LINEAGE:
        return Lineage
    folders: Mapping[str, type[Model]] = {
        _AUTHORITIES: AuthorityRecord,
        _CERTIFICATES: CertificateRecord,
        _CRLS: CrlRecord,
        _OCSP: OcspRecord,
        _PAST: PastRecord,
        _TRUST: TrustRecord,
        _SPENDING: SpendingRecord,
        _ADVICE: AdviceRecord,
    }
    found = (model for folder, model in folders.items() if path.startswith(folder))
    return next(found, None) if is_record(path) else None


def place_of(record: Model) -> str:
    """Return where a record lies."""
    match record:
        case CertificateRecord():
            return certificate_path(record.name)
        case AuthorityRecord():
            return authority_path(record.name)
        case CrlRecord():
            return crl_path(*record.key)
        case OcspRecord():
            return generation_path(_OCSP, record.authority, record.generation)
        case PastRecord():
            return generation_path(_PAST, record.authority, record.generation)
        case TrustRecord():
            return trust_path(record.name)
        case SpendingRecord():
            return spending_path(*record.key)
        case AdviceRecord():
            return advice_path(record.issuer)
        case _:
            return LINEAGE


def content(path: str, text: bytes) -> Model | bytes:
    """Return a file's record, the text itself where it is none; `LedgerRefused` if it is not sound."""
    model = model_of(path)
    if model is None:
        return text
    found = decode(model, path, text)
    # A record under another's path would let two files speak for one name.
    if path != (expected := place_of(found)):
        raise LedgerRefused(f"the ledger's file {path} holds the record of {expected}")
    return found


def openers(ciphertext: bytes) -> frozenset[str] | None:
    """Return who can open a sops file; None when it is none."""
    try:
        return frozenset(recipients_of(ciphertext))
    except Conflict:
        return None


def ca_keys(files: Mapping[str, bytes]) -> dict[tuple[str, int], frozenset[str]]:
    """Return who can open each CA key, by authority and generation."""
    found = {}
    for path, content in files.items():
        which = _AUTHORITY_KEY.fullmatch(path)
        if which and (those := openers(content)) is not None:
            found[which["name"], int(which["generation"])] = those
    return found


def written(wave: Wave) -> dict[str, Model | bytes]:
    """Return what a wave writes, by path: records still to be encoded, and ciphertext."""
    records = (
        *wave.certificates,
        *wave.authorities,
        *wave.crls,
        *wave.ocsp,
        *wave.past,
        *wave.trust,
        *wave.spending,
        *wave.advice,
    )
    keys = {authority_key_path(*which): key for which, key in wave.authority_keys.items()}
    keyring = {KEYRING: wave.keyring} if wave.keyring is not None else {}
    return {**{place_of(record): record for record in records}, **keys, **keyring}
