"""What a CA issued and revoked, put together from the files that others kept of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from providers.x509 import CertificateFacts, facts, split_pem, was_issued_by
from providers.x509.foreign_crl import ForeignCrl, load_foreign_crl, read_foreign_crl
from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.ledger.records import PastEntry, Revoked
from reconciler.past.index import Malformed, read_index
from schemas.plan import Source

_MOST = 20
"""How many malformed lines of one file are told."""
MOST_ENTRIES = 500_000
"""Lines and entries that are read for all CAs together: each takes about a kilobyte of memory."""
_CERTIFICATE = 10
"""How many lines a certificate counts for, whose signature takes time."""


@dataclass(slots=True)
class Room:
    """How much more may be read of what CAs did before."""

    left: int = MOST_ENTRIES

    def has(self, amount: int, path: str, source: Source, found: list[Diagnostic]) -> bool:
        """Make use of some; where more is asked for than is left, tell so and return False."""
        self.left -= amount
        if self.left >= 0:
            return True
        summary = f'with "{path}" more than {MOST_ENTRIES:,} lines are to be read of CAs of before'
        hint = "leave out what is expired; a certificate counts for ten lines"
        found.append(error(summary, source, hint=hint))
        return False


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one CA: content and path of each that is named, and where it is named."""

    certificate: CertificateFacts
    der: bytes
    crl: tuple[bytes, str, Source] | None = None
    index: tuple[bytes, str, Source] | None = None
    issued: tuple[tuple[bytes, str, Source], ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Every serial that is known, and the number of the last CRL."""

    entries: tuple[PastEntry, ...] = ()
    number: int | None = None


def read_history(files: Files, found: list[Diagnostic], room: Room | None = None) -> History:
    """Return what the files of a CA say together: who is revoked in one of them is revoked.

    `room` is what is left for this CA, where there are several.
    """
    room = room or Room()
    crl = _crl(files, found, room)
    known: dict[str, PastEntry] = {}
    for entry in (*_index(files, found, room), *_issued(files, found, room), *_revoked(crl)):
        known[entry.serial] = together(known.get(entry.serial), entry)
    if (own := known.get(files.certificate.serial)) and _is_itself(own, files.certificate):
        del known[own.serial]
    entries = tuple(known[serial] for serial in sorted(known, key=_number))
    return History(entries, crl.number if crl else None)


def _number(serial: str) -> int:
    return int(serial, 16)


def _is_itself(entry: PastEntry, certificate: CertificateFacts) -> bool:
    """Whether it is the root, which is in its own list where it was signed by the same program.

    What is revoked, or ends at another time, is another one: CAs gave their own number once more.
    """
    is_root = certificate.subject == certificate.issuer
    return is_root and entry.revoked is None and entry.not_after == certificate.not_after


def together(before: PastEntry | None, entry: PastEntry) -> PastEntry:
    """Return what two sources say of one serial: it is revoked if one says so, and ends at the later end."""
    if before is None:
        return entry
    return entry.model_copy(
        update={
            "not_after": _later(before.not_after, entry.not_after),
            "subject": before.subject or entry.subject,
            "revoked": before.revoked or entry.revoked,
        }
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Return the later end: what is taken to end too early would leave the CRL too early."""
    return max(one, other) if one and other else one or other


def _crl(files: Files, found: list[Diagnostic], room: Room) -> ForeignCrl | None:
    if files.crl is None:
        return None
    data, path, source = files.crl
    try:
        crl = load_foreign_crl(data, files.der)
        return read_foreign_crl(crl) if room.has(len(crl), path, source, found) else None
    except ValueError as why:
        hint = "name the last whole CRL that this CA signed, or leave it out if there never was one"
        found.append(error(f'"{path}" cannot be used: {why}', source, hint=hint))
        return None


def _revoked(crl: ForeignCrl | None) -> Iterator[PastEntry]:
    for serial, entry in (crl.entries if crl else {}).items():
        revoked = Revoked.model_construct(at=entry.at, reason=entry.reason)
        yield PastEntry.model_construct(
            serial=serial, not_after=None, subject=None, revoked=revoked
        )


def _index(files: Files, found: list[Diagnostic], room: Room) -> Iterator[PastEntry]:
    if files.index is None:
        return
    data, path, source = files.index
    if not room.has(data.count(b"\n"), path, source, found):
        return
    wrong: list[Malformed] = []
    lines: dict[str, int] = {}
    for line in read_index(data):
        if isinstance(line, Malformed):
            wrong.append(line)
            continue
        number, entry = line
        if (first := lines.setdefault(entry.serial, number)) != number:
            found.append(_repeated(entry.serial, path, number, first))
        yield entry
    found += _malformed(wrong, path)


def _repeated(serial: str, path: str, line: int, first: int) -> Diagnostic:
    summary = f"the serial number {serial.upper()} is on line {first} as well"
    hint = "it counts as revoked if one of them says so; a CA gives each number once"
    return warning(summary, Source(file=path, line=line), hint=hint)


def _malformed(wrong: list[Malformed], path: str) -> Iterator[Diagnostic]:
    for line in wrong[:_MOST]:
        hint = "this is the index.txt of `openssl ca`: see CA DATABASE in openssl-ca(1)"
        yield error(
            f"not a line of a CA's database: {line}", Source(file=path, line=line.line), hint=hint
        )
    if len(wrong) > _MOST:
        line = wrong[_MOST]
        more = f"{len(wrong) - _MOST} more lines are malformed"
        yield error(more, Source(file=path, line=line.line))


def _issued(files: Files, found: list[Diagnostic], room: Room) -> Iterator[PastEntry]:
    for data, path, source in files.issued:
        if not room.has(_CERTIFICATE * data.count(b"-----BEGIN"), path, source, found):
            return
        for number, certificate in _certificates(data, path, source, found):
            if not was_issued_by(certificate.certificate, files.certificate.certificate):
                found.append(_of_others(certificate, path, number, source))
            yield PastEntry.model_construct(
                serial=certificate.serial,
                not_after=certificate.not_after,
                subject=_subject(certificate),
                revoked=None,
            )


def _certificates(
    data: bytes, path: str, source: Source, found: list[Diagnostic]
) -> Iterator[tuple[int, CertificateFacts]]:
    try:
        ders = split_pem(data)
    except ValueError:
        ders = ()
    if not ders:
        found.append(error(f'"{path}" holds no certificate in PEM', source))
    for number, der in enumerate(ders, start=1):
        try:
            yield number, _numbered(facts(der))
        except ValueError as why:
            found.append(error(f'certificate {number} in "{path}" cannot be read: {why}', source))


def _numbered(certificate: CertificateFacts) -> CertificateFacts:
    if certificate.serial.startswith("-"):
        raise ValueError("its serial number is below zero, and no CRL of today may name it")
    return certificate


def _subject(certificate: CertificateFacts) -> str | None:
    try:
        return certificate.subject or None
    except ValueError:
        return None  # a name that cannot be read stops nothing: it is only shown


def _of_others(certificate: CertificateFacts, path: str, number: int, source: Source) -> Diagnostic:
    summary = f'certificate {number} in "{path}" was not issued by this CA'
    detail = f"It is {_subject(certificate) or 'a certificate'}, serial {certificate.serial}."
    hint = "take it out: what other CAs issued is none of this one's"
    return error(summary, source, detail=detail, hint=hint)
