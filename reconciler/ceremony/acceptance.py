"""Taking an answer in: all of it is what the ledger reserved, soundly signed, or none of it is recorded."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field

from cryptography import x509 as pyca

from providers import x509
from providers.errors import ProviderError
from providers.failpoints import reach
from reconciler.apply.crls import Press, listed
from reconciler.apply.session import Session
from reconciler.apply.transitions import issued, put_authority
from reconciler.ceremony.lists import asked_list
from reconciler.ceremony.making import Chains, replay_certificate, replay_crl
from reconciler.ceremony.papers import (
    Answer,
    AskedCertificate,
    AskedCrl,
    Generation,
)
from reconciler.ceremony.signing import in_order, named
from reconciler.chains import issuers_of
from reconciler.custody import key_holder
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput, Refused
from reconciler.ledger.contract import Wave
from reconciler.ledger.publications import CrlRecord
from reconciler.ledger.records import AuthorityRecord, Issuance, Status
from reconciler.published_names import list_key

AGAIN = "nothing of it was recorded; certform ceremony export tells what is asked for now"


class Unacceptable(Exception):
    """One part of an answer is not what was asked for; the text says why."""


@dataclass
class Acceptance:
    """What an answer adds to the ledger; nothing of it is written yet."""

    session: Session
    authorities: dict[str, AuthorityRecord] = field(default_factory=dict)
    crls: list[CrlRecord] = field(default_factory=list)
    accepted: dict[str, str] = field(default_factory=dict)
    """What was signed, with its SHA-256: what is new, and what was taken in before."""

    def known(self) -> dict[str, AuthorityRecord]:
        """Every CA, with what is taken in."""
        return {**self.session.journal.state.authorities, **self.authorities}


def take_in(session: Session, answer: Answer) -> Acceptance:
    """Record what an answer brings, in one durable step, and return it.

    Raises `Refused` for an answer of another ledger, `InvalidInput` with all that differs; then nothing
    is recorded. What was taken in before is left as it is.
    """
    lineage = session.journal.state.lineage
    if answer.request.ledger != lineage.id:
        raise Refused(
            f"this answer is for another ledger: {answer.request.project} ({answer.request.ledger})",
            hint=f"this one is {lineage.project} ({lineage.id})",
        )
    found = Acceptance(session)
    wrong = [*_certificates(found, answer), *_crls(found, answer)]
    if wrong:
        raise InvalidInput(wrong)
    if found.authorities or found.crls:
        session.journal.write(
            Wave(
                message=f"Take in from a ceremony: {', '.join(found.accepted)}",
                authorities=list(found.authorities.values()),
                crls=found.crls,
            )
        )
        reach("ceremony.recorded")
    return found


def _certificates(found: Acceptance, answer: Answer) -> Iterator[Diagnostic]:
    asked = {each.issuance.serial for each in answer.request.certificates}
    for serial in sorted(answer.certificates.keys() - asked):
        yield error(f"serial {serial[:60]} is signed, and was not asked for", hint=AGAIN)
    for each in in_order(answer.request):
        pem = answer.certificates.get(each.issuance.serial)
        if pem is None:
            continue
        try:
            _accept(found, each.issuance.serial, x509.to_der(pem.encode()))
        except (Unacceptable, ProviderError, ValueError) as why:
            yield error(f"{named(each)}: {why}", hint=AGAIN)


def _accept(found: Acceptance, serial: str, der: bytes) -> None:
    record, reservation = _reserved(found, serial)
    asked = AskedCertificate(authority=record.name, issuance=reservation)
    digest = hashlib.sha256(der).hexdigest()
    if reservation.status in (Status.ISSUED, Status.REVOKED):
        if reservation.sha256 != digest:
            raise Unacceptable(
                "it was issued already, with another signature: this is an old answer"
            )
        found.accepted[named(asked)] = digest
        return
    if reservation.status is not Status.RESERVED:
        raise Unacceptable("it is not asked for any more: this is an old answer")
    chains = _chains(found, asked.signer)
    if differing := tuple(_differences(reservation, der)):
        raise Unacceptable("; ".join(differing))
    replay_certificate(asked, der, chains)
    _put(found, record, asked, der)
    found.accepted[named(asked)] = digest


def _reserved(found: Acceptance, serial: str) -> tuple[AuthorityRecord, Issuance]:
    for record in found.known().values():
        for issuance in record.issuances:
            if issuance.serial == serial:
                return record, issuance
    raise Unacceptable("the ledger has no such reservation: this is an old answer, or nobody asked")


def _put(found: Acceptance, record: AuthorityRecord, asked: AskedCertificate, der: bytes) -> None:
    """Take a certificate in. Nobody knows when it was signed: it counts from its reservation on."""
    spki = b64encode(x509.facts(der).spki).decode()
    desired = found.session.world.desired.authorities.get(record.name)
    other = key_holder(found.known(), desired, spki) if desired and not asked.issuance.spki else ""
    if other:
        raise Unacceptable(f"its key is that of {other}: every generation has a key of its own")
    signer = _signer(found, asked)
    made = issued(asked.issuance, der, asked.issuance.reserved_at, signer)
    made = made.model_copy(update={"spki": spki})
    found.authorities[record.name] = put_authority(record, made)


def _signer(found: Acceptance, asked: AskedCertificate) -> str:
    """Return the serial of what it is signed under: as reserved, while that is a certificate."""
    if asked.is_self_signed:
        return asked.issuance.serial
    name, generation = asked.signer
    own = {issuance.serial for issuance in found.known()[name].own(generation)}
    newest = issuers_of(found.known(), name, generation)[0].serial
    reserved = asked.issuance.signer or newest
    if reserved not in own:
        raise Unacceptable("what it was to be signed under was given up: this is an old answer")
    return reserved


def _chains(found: Acceptance, signer: Generation) -> Chains:
    chain = issuers_of(found.known(), *signer)
    return (
        {signer: [x509.to_der(str(each.certificate).encode()) for each in chain]} if chain else {}
    )


def _differences(reservation: Issuance, der: bytes) -> Iterator[str]:
    """Yield what a certificate says in another way than it is reserved, as far as that is easily said."""
    said = x509.facts(der)
    pairs = (
        ("serial", said.serial, reservation.serial),
        ("notBefore", said.not_before, reservation.not_before),
        ("notAfter", said.not_after, reservation.not_after),
        ("common name", _common_name(said.certificate), reservation.request.common_name),
    )
    for what, has, reserved in pairs:
        if has != reserved:
            yield f"its {what} is {has}, and {reserved} is reserved"
    if reservation.spki and b64decode(reservation.spki) != said.spki:
        yield "it is for another key than the one that is reserved"


def _common_name(certificate: pyca.Certificate) -> str | None:
    names = certificate.subject.get_attributes_for_oid(pyca.NameOID.COMMON_NAME)
    return str(names[0].value) if names else None


def _crls(found: Acceptance, answer: Answer) -> Iterator[Diagnostic]:
    asked = {crl.name: crl for crl in answer.request.crls}
    for name in sorted(answer.crls.keys() - asked.keys()):
        yield error(f"{name[:100]} is signed, and was not asked for", hint=AGAIN)
    for name in sorted(answer.crls.keys() & asked.keys()):
        try:
            _accept_crl(found, asked[name], b64decode(answer.crls[name], validate=True))
        except (Unacceptable, ProviderError, ValueError) as why:
            yield error(f"{name}: {why}", hint=AGAIN)


def _accept_crl(found: Acceptance, asked: AskedCrl, der: bytes) -> None:
    key = list_key(f"crl/{asked.name.removesuffix('.crl')}")
    record = found.session.journal.state.crls.get(key)
    said, digest = x509.read_crl(der), hashlib.sha256(der).hexdigest()
    if record is None or said.number > record.number:
        raise Unacceptable(f"number {said.number} is not reserved")
    if said.number < record.number or record.sha256 not in (None, digest):
        raise Unacceptable(f"number {said.number} is not asked for any more: this is an old answer")
    if record.sha256 is None:
        _check_entries(found, record, said)
        expected = _expected(found, record, said)
        replay_crl(expected, der, _chains(found, expected.signer))
        update = {"sha256": digest, "der": b64encode(der).decode()}
        found.crls.append(record.model_copy(update=update))
    found.accepted[asked.name] = digest


def _check_entries(found: Acceptance, record: CrlRecord, said: x509.Crl) -> None:
    """Raise `Unacceptable` unless a list tells of all that was revoked when it was asked for, and no more."""
    publisher = found.session.publisher
    press = Press(found.session, publisher.published() if publisher else {})
    known = listed(press, record).entries
    asked = {s: entry for s, entry in known.items() if entry.at <= record.this_update}
    if missing := sorted(asked.keys() - said.entries.keys()):
        raise Unacceptable(f"it leaves out what is revoked: serial {missing[0]}")
    if more := sorted(s for s, entry in said.entries.items() if known.get(s) != entry):
        raise Unacceptable(f"it revokes what is not revoked, or otherwise: serial {more[0]}")


def _expected(found: Acceptance, record: CrlRecord, said: x509.Crl) -> AskedCrl:
    """Return a list with the dates that are reserved and the entries that were found to be sound."""
    publisher = found.session.publisher
    press = Press(found.session, publisher.published() if publisher else {})
    return asked_list(record, said.entries, listed(press, record).urls)
