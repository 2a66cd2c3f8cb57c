"""Making CRLs: a number above every one that was used, then every revocation that anybody knows of."""

import hashlib
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from providers import x509
from providers.failpoints import reach
from reconciler.apply.made import made
from reconciler.apply.session import Impossible, Outcome, Session
from reconciler.crl_terms import settled_terms
from reconciler.diff.lists import Contents, contents, lists_of, urls_for
from reconciler.ledger.contract import Wave
from reconciler.ledger.publications import CrlKey, CrlRecord, CrlTerms
from reconciler.ledger.records import Issuance, PastEntry
from reconciler.published_names import file_name, list_key
from schemas.plan import Change


@dataclass(frozen=True, slots=True)
class Signed:
    """One CRL on its way out."""

    record: CrlRecord
    der: bytes


@dataclass
class Press:
    """What all CRLs of one wave are made from, each thing looked up once."""

    session: Session
    published: Mapping[str, bytes]

    @cached_property
    def issued(self) -> Mapping[CrlKey, Mapping[str, Issuance]]:
        """Every certificate that the ledger knows, by the lists that tell of it and by serial."""
        found: dict[CrlKey, dict[str, Issuance]] = {}
        for issuance in self._issuances():
            for key in lists_of(issuance):
                found.setdefault(key, {})[issuance.serial] = issuance
        return found

    def _issuances(self) -> Iterator[Issuance]:
        state = self.session.journal.state
        for certificate in state.certificates.values():
            yield from certificate.issuances
        for authority in state.authorities.values():
            yield from authority.issuances

    @cached_property
    def contents(self) -> Contents:
        """The URLs that certificates name, those that this run reserved or issued among them."""
        return contents(replace(self.session.world, ledger=self.session.journal.state))

    @cached_property
    def _read(self) -> dict[CrlKey, x509.Crl | None]:
        return {}

    def earlier(self, key: CrlKey) -> x509.Crl | None:
        """The published list but for what the ledger tells, None where there is none.

        Raises `Impossible` for a stranger's.
        """
        if key not in self._read:
            self._read[key] = self._published(key)
        return self._read[key]

    def _revoked(self, key: CrlKey) -> frozenset[str]:
        """The serials of which the ledger says when and why they were revoked."""
        return frozenset(s for s, i in self.issued.get(key, {}).items() if i.revoked)

    def _published(self, key: CrlKey) -> x509.Crl | None:
        name = file_of(key)
        found = self.published.get(name)
        if found is None:
            return None
        certificate = certified(self.session, *key[:2]).certificate or ""
        try:
            if not x509.crl_is_by(found, x509.to_der(certificate.encode())):
                raise Impossible(
                    f"{name} was not signed by this CA: find out who put it there, and move it"
                )
            return x509.read_crl(found, self._revoked(key))
        except ValueError as why:
            raise Impossible(f"{name} cannot be read ({why}): move it away") from None


def make_crls(
    session: Session, changes: Sequence[Change], failed: list[Outcome]
) -> dict[str, bytes]:
    """Return the CRLs by change, each number durable before it is signed under.

    What was signed at a ceremony is taken as it came from there.
    """
    carried = {c.id: der for c in changes if (der := _carried(session, c)) is not None}
    signing = [change for change in changes if change.id not in carried]
    press = Press(session, session.publisher.published() if session.publisher else {})
    records = made(signing, lambda change: reserved(press, list_key(change.address)), failed)
    _write(session, "Reserve", list(records.values()))
    reach("crls.reserved")
    ready = [change for change in signing if change.id in records]
    signed = made(ready, lambda change: _sign(press, records[change.id]), failed)
    _write(session, "Sign", [crl.record for crl in signed.values()])
    reach("crls.signed")
    return {**carried, **{id_: crl.der for id_, crl in signed.items()}}


def _carried(session: Session, change: Change) -> bytes | None:
    record = session.journal.state.crls.get(list_key(change.address))
    return b64decode(record.der) if record is not None and record.der else None


def certified(session: Session, name: str, generation: int) -> Issuance:
    """Return the newest certificate of a CA's generation; raises `Impossible` where it has none."""
    record = session.journal.state.authorities.get(name)
    issuance = record.issued(generation) if record else None
    if issuance is None or issuance.certificate is None:
        raise Impossible(f"authority/{name} generation {generation} is not issued")
    return issuance


def file_of(key: CrlKey) -> str:
    """Return the name of a list's file."""
    name, generation, shard = key
    return file_name(name, generation, "crl", shard)


def reserved(press: Press, key: CrlKey) -> CrlRecord:
    """Return the record with a number above every one this list can have had, whatever was rolled back."""
    name, generation, shard = key
    session, now = press.session, press.session.clock()
    last, earlier = session.journal.state.crls.get(key), press.earlier(key)
    past = session.journal.state.past.get((name, generation)) if shard is None else None
    used = (
        last.number if last else 0,
        earlier.number if earlier else 0,
        (past.number or 0) if past else 0,
        int(now.timestamp()) - 1,  # a floor that rises although everything was lost
    )
    terms = _terms(session, key)
    return CrlRecord(
        authority=name,
        generation=generation,
        shard=shard,
        number=max(used) + 1,
        this_update=now,
        next_update=_next_update(session, key, now, terms),
        terms=terms if shard is None else None,
    )


def _terms(session: Session, key: CrlKey) -> CrlTerms | None:
    desired = session.world.desired.authorities.get(key[0])
    return settled_terms(session.journal.state, *key[:2], desired)


def _next_update(session: Session, key: CrlKey, now: datetime, terms: CrlTerms | None) -> datetime:
    record = session.journal.state.authorities.get(key[0])
    lasting = record.lasting(key[1]) if record else None
    end = (lasting or certified(session, *key[:2])).not_after
    return min(now + timedelta(seconds=terms.duration), end) if terms else end


def _sign(press: Press, record: CrlRecord) -> Signed:
    session, whose = press.session, (record.authority, record.generation)
    crl = listed(press, record)
    der = x509.sign_crl(crl, session.listing(*whose), session.signer(*whose))
    digest = hashlib.sha256(der).hexdigest()
    return Signed(record.model_copy(update={"sha256": digest}), der)


def listed(press: Press, record: CrlRecord) -> x509.Crl:
    """Return what a CRL is to say under a number that is reserved for it."""
    return x509.Crl(
        number=record.number,
        this_update=record.this_update,
        next_update=record.next_update,
        entries=_entries(press, record),
        urls=tuple(sorted(urls_for(press.session.world, record.key, press.contents))),
    )


def _entries(press: Press, record: CrlRecord) -> Mapping[str, x509.CrlEntry]:
    """Every revocation of the ledger, and every published one, but what a CRL has told beyond its end.

    An entry is on one CRL that was signed after it expired (RFC 5280 section 3.3), then it goes; a
    CRL that a clock ahead has dated tells of nothing beyond now. What was published stays revoked,
    also where the ledger does not say so: it may have been rolled back.
    """
    issuances, past = press.issued.get(record.key, {}), _past(press, record)
    earlier = press.earlier(record.key)
    told = min(earlier.this_update, record.this_update) if earlier else record.this_update
    over = {i.serial for i in issuances.values() if i.not_after <= told}
    over |= {e.serial for e in past if e.not_after is not None and e.not_after <= told}
    before = {e.serial: x509.CrlEntry(e.revoked.at, e.revoked.reason) for e in past if e.revoked}
    carried = earlier.entries if earlier else {}
    recorded = {
        i.serial: x509.CrlEntry(i.revoked.at, i.revoked.reason)
        for i in issuances.values()
        if i.revoked
    }
    return {s: entry for s, entry in {**before, **carried, **recorded}.items() if s not in over}


def _past(press: Press, record: CrlRecord) -> Sequence[PastEntry]:
    """Return what a CA issued before it was taken over: it names no shard of ours."""
    past = press.session.journal.state.past.get((record.authority, record.generation))
    return past.entries if past is not None and record.shard is None else ()


def _write(session: Session, verb: str, records: Sequence[CrlRecord]) -> None:
    if records:
        names = ", ".join(_named(record) for record in records[:_NAMED])
        more = f" and {len(records) - _NAMED} more" if len(records) > _NAMED else ""
        session.journal.write(Wave(message=f"{verb} CRL {names}{more}", crls=records))


_NAMED = 8
"""How many lists the ledger's message names."""


def _named(record: CrlRecord) -> str:
    shard = f" shard {record.shard}" if record.shard else ""
    return f"{record.authority}{shard} {record.number}"
