"""index.txt, the database of OpenSSL's `ca` command, which EasyRSA keeps as well.

A line is six fields between tabs: V, R or E (valid, revoked, expired), when it ends, when and why it was
revoked, the serial number in hex, a file, the name. Times are UTC, `YYMMDDHHMMSSZ` or with four digits
of the year (openssl-ca(1), `apps/lib/apps.c`: `load_index`, `unpack_revinfo`).
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from reconciler.ledger.records import PastEntry, Revoked
from schemas.revocation import RevocationReason

_FIELDS = 6
_DIGITS = frozenset("0123456789ABCDEFabcdef")
_REASONS = {reason.lower(): reason for reason in RevocationReason} | {
    "keytime": RevocationReason.KEY_COMPROMISE,
    "cakeytime": RevocationReason.CA_COMPROMISE,
    "certificatehold": RevocationReason.UNSPECIFIED,
    "holdinstruction": RevocationReason.UNSPECIFIED,
}
"""What may follow a comma; a certificate on hold stays revoked here, and no reason is given."""


class Malformed(ValueError):
    """A line is not as it should be; `line` counts from one."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


def read_index(data: bytes) -> Iterator[tuple[int, PastEntry] | Malformed]:
    """Yield every line that says something with its number, or what is wrong with it."""
    # RFC 5280 names are text; what is no UTF-8 there is only shown to people
    for number, line in enumerate(data.decode("utf-8", "replace").split("\n"), start=1):
        text = line.rstrip("\r")
        if not text or text.startswith("#"):
            continue
        try:
            yield number, _entry(text)
        except ValueError as why:
            yield Malformed(number, str(why))


def _entry(line: str) -> PastEntry:
    fields = line.split("\t")
    if len(fields) != _FIELDS:
        raise ValueError(f"it has {len(fields)} fields and not six, with tabs between them")
    status, ends, revoked, serial, _, subject = fields
    if status not in ("V", "R", "E"):
        raise ValueError(f'it begins with "{status[:8]}" and not with V, R or E')
    if status != "R" and revoked:
        raise ValueError("it says when it was revoked, but does not begin with R")
    return PastEntry.model_construct(
        serial=_serial(serial),
        not_after=_moment(ends),
        subject=subject or None,
        revoked=_revocation(revoked) if status == "R" else None,
    )


def _serial(text: str) -> str:
    if not text or not _DIGITS.issuperset(text):
        raise ValueError(f'the serial number "{text[:48]}" is not hex')
    return text.lower().lstrip("0") or "0"


def _moment(text: str) -> datetime:
    """RFC 5280 section 4.1.2.5.1: a year of two digits from 50 on is of the last century."""
    digits = text[:-1]
    known = text.endswith("Z") and digits.isdecimal() and digits.isascii()
    if not known or len(digits) not in (12, 14):
        raise ValueError(f'"{text[:24]}" is no time such as 271231235959Z')
    year, rest = int(digits[:-10]), digits[-10:]
    if len(digits) == 12:
        year += 1900 if year >= 50 else 2000
    month, day, hour, minute, second = (int(rest[at : at + 2]) for at in range(0, 10, 2))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise ValueError(f'"{text}" is no moment there is') from None


def _revocation(text: str) -> Revoked:
    moment, _, why = text.partition(",")
    word = why.partition(",")[0].lower()
    if word and word not in _REASONS:
        raise ValueError(f'there is no reason "{word[:32]}"')
    reason = _REASONS[word] if word else RevocationReason.UNSPECIFIED
    return Revoked.model_construct(at=_moment(moment), reason=reason)
