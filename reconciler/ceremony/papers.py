"""The two files that are carried between the ledger and an offline key: neither holds a secret."""

import hashlib
import json
import re
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, ValidationError

from providers import x509
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.ledger.records import Issuance
from schemas.base import Model
from schemas.request import AuthorityRequest
from schemas.revocation import RevocationReason
from schemas.scalars import Instant, Name

LIMIT = 1 << 25
"""Bytes: more than the CRL of an offline CA ever takes."""
_REQUEST: Literal["certform-ceremony-request/1"] = "certform-ceremony-request/1"
_ANSWER: Literal["certform-ceremony-answer/1"] = "certform-ceremony-answer/1"

_LEDGER = "^[0-9a-f]{16}$"
_SERIAL = re.compile(r"0|[1-9a-f][0-9a-f]*")
"""A serial number in its one spelling: what is shown is what is signed."""

Generation = tuple[str, int]
"""A CA by its name, and a generation of it."""


class AskedCertificate(Model):
    """A CA certificate to be signed, as it is reserved; `spki` is empty where the key is yet to be made."""

    authority: Name
    issuance: Issuance

    @property
    def request(self) -> AuthorityRequest:
        """What it is to say; raises ValueError when it is no CA's."""
        if not isinstance(self.issuance.request, AuthorityRequest):
            raise ValueError("a ceremony signs CA certificates alone")  # noqa: TRY004 - a value
        return self.issuance.request

    @property
    def whose(self) -> Generation:
        """The CA and generation whose key it certifies."""
        return self.authority, self.request.generation

    @property
    def signer(self) -> Generation:
        """The CA and generation whose key signs it."""
        request = self.request
        if request.issuer is None:
            return self.whose
        return request.issuer, request.issuer_generation or 0

    @property
    def is_self_signed(self) -> bool:
        """Whether it is a root."""
        return self.request.issuer is None

    @property
    def crosses(self) -> bool:
        """Whether a generation of a root signs the next one: it is nobody's chain."""
        return self.request.issuer == self.authority


class AskedRevocation(Model):
    """One entry of a CRL."""

    serial: str
    at: Instant
    reason: RevocationReason


class AskedCrl(Model):
    """A CRL to be signed under a number that is reserved for it."""

    authority: Name
    generation: int
    shard: int | None = None
    number: int
    this_update: Instant
    next_update: Instant
    entries: tuple[AskedRevocation, ...] = ()
    urls: tuple[str, ...] = ()

    @property
    def signer(self) -> Generation:
        """The CA and generation whose key signs it."""
        return self.authority, self.generation

    @property
    def name(self) -> str:
        """What it is called in an answer, and its file when it is published."""
        part = "" if self.shard is None else f"-s{self.shard}"
        return f"{self.authority}-g{self.generation}{part}.crl"

    def content(self) -> x509.Crl:
        """Return what it is to say."""
        return x509.Crl(
            number=self.number,
            this_update=self.this_update,
            next_update=self.next_update,
            entries={e.serial: x509.CrlEntry(e.at, e.reason) for e in self.entries},
            urls=self.urls,
        )


class Standing(Model):
    """A CA generation that exists already: its certificate and those above it, up to the root (PEM)."""

    authority: Name
    generation: int
    chain: Annotated[tuple[str, ...], Field(min_length=1)]


class Request(Model):
    """Everything that waits for offline keys of one ledger."""

    format: Literal["certform-ceremony-request/1"] = _REQUEST
    project: Name
    ledger: Annotated[str, Field(pattern=_LEDGER)]
    made_at: Instant
    certificates: tuple[AskedCertificate, ...] = ()
    crls: tuple[AskedCrl, ...] = ()
    standing: tuple[Standing, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 in hex over the file as it is written: `sha256sum` says the same."""
        return hashlib.sha256(written(self).encode()).hexdigest()


class Answer(Model):
    """A request with what was signed: certificates (PEM) by serial, CRLs (base64 of DER) by name."""

    format: Literal["certform-ceremony-answer/1"] = _ANSWER
    request: Request
    certificates: dict[str, str] = Field(default_factory=dict)
    crls: dict[str, str] = Field(default_factory=dict)


Paper = TypeVar("Paper", Request, Answer)


def written(paper: Request | Answer) -> str:
    """Return the one text that stands for a paper."""
    return json.dumps(paper.to_json(), indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def read(path: Path) -> Request | Answer:
    """Read a paper; raises `InvalidInput` for what is none."""
    try:
        size = path.stat().st_size
        text = path.read_bytes() if path.is_file() and size <= LIMIT else b""
    except OSError as failure:
        raise _refused(path, f"cannot be read: {failure.strerror}") from None
    if not text:
        raise _refused(path, f"is no file of at most {LIMIT >> 20} MiB, or an empty one")
    return _parsed(path, text)


def _parsed(path: Path, text: bytes) -> Request | Answer:
    try:
        data = json.loads(text)
        kind = data.get("format") if isinstance(data, dict) else None
        models: dict[object, type[Request | Answer]] = {_REQUEST: Request, _ANSWER: Answer}
        if isinstance(kind, str) and kind in models:
            paper = models[kind].model_validate_json(text)
            _check(paper if isinstance(paper, Request) else paper.request)
            return paper
    except ValidationError as failure:
        place = ".".join(str(part) for part in failure.errors(include_input=False)[0]["loc"])
        raise _refused(path, f"is no ceremony file that is whole (at {place})") from None
    except (ValueError, RecursionError):
        raise _refused(path, "is no ceremony file") from None
    raise _refused(path, "is no ceremony file of a format known here")


def _check(request: Request) -> None:
    """Raise ValueError for what could be meant in two ways."""
    for asked in request.certificates:
        if not x509.own_name(asked.request).rdns:
            raise ValueError("a CA without a name")
    serials = [asked.issuance.serial for asked in request.certificates]
    listed = [[entry.serial for entry in crl.entries] for crl in request.crls]
    if not all(map(_SERIAL.fullmatch, chain(serials, *listed))):
        raise ValueError("a serial number is not in its one spelling")
    standing = [(ca.authority, ca.generation) for ca in request.standing]
    names = [asked.name for asked in request.crls]
    parts = [(asked.whose, asked.crosses) for asked in request.certificates]
    everything: tuple[Sequence[object], ...] = (serials, parts, names, standing, *listed)
    if any(len(set(each)) < len(each) for each in everything):
        raise ValueError("asked for twice")


def _refused(path: Path, why: str) -> InvalidInput:
    hint = "`certform ceremony export` writes requests, `certform ceremony sign` answers"
    return InvalidInput((error(f"{path} {why}", hint=hint),))


def groups(digest: str) -> str:
    """Return a digest in groups of four, as it is read aloud."""
    return " ".join(digest[at : at + 4] for at in range(0, len(digest), 4))
