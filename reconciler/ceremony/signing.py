"""Signing a request: whatever the keys at hand can sign, each certificate before what hangs by it."""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from cryptography import x509 as pyca

from providers import x509
from providers.errors import ProviderError
from providers.signer import Signer
from providers.x509 import facts, to_der
from reconciler.ceremony.making import (
    Chains,
    make_certificate,
    make_crl,
    replay_certificate,
    replay_crl,
)
from reconciler.ceremony.papers import Answer, AskedCertificate, AskedCrl, Generation, Request
from reconciler.diagnostics import Diagnostic, error
from reconciler.errors import InvalidInput
from schemas.request import KeyType

Keys = Mapping[Generation, Signer]


@dataclass(frozen=True, slots=True)
class Signed:
    """What of a request is signed so far, in DER, with the chains that it makes."""

    request: Request
    chains: Chains
    certificates: Mapping[str, bytes]
    crls: Mapping[str, bytes]

    def answer(self) -> Answer:
        """Return it as it is carried back."""
        return Answer(
            request=self.request,
            certificates={s: x509.pem(der).decode() for s, der in self.certificates.items()},
            crls={name: b64encode(der).decode() for name, der in self.crls.items()},
        )


def begun(paper: Request | Answer) -> Signed:
    """Return what a paper brings already, each part checked; raises `InvalidInput` for what does not hold."""
    request = paper if isinstance(paper, Request) else paper.request
    signed = Signed(request, standing(request), {}, {})
    names_of(signed)
    return _brought(signed, paper) if isinstance(paper, Answer) else signed


def standing(request: Request) -> Chains:
    """Return the chains that a request says exist; raises `InvalidInput` for what is no certificate."""
    try:
        return {
            (ca.authority, ca.generation): [_readable(pem) for pem in ca.chain]
            for ca in request.standing
        }
    except ValueError as why:
        raise InvalidInput((error(f"the request holds what is no certificate: {why}"),)) from None


def _readable(pem: str) -> bytes:
    der = to_der(pem.encode())
    _ = facts(der).subject  # raises ValueError
    return der


def names_of(signed: Signed) -> Mapping[Generation, pyca.Name]:
    """Return the name of each CA generation, as it is in what that generation signs.

    Raises `InvalidInput` where one has two: it would sign under another name than is shown.
    """
    found: dict[Generation, pyca.Name] = {}
    known = [(w, facts(chain[0]).certificate.subject) for w, chain in signed.chains.items()]
    asked = [(each.whose, x509.own_name(each.request)) for each in signed.request.certificates]
    for whose, name in (*known, *asked):
        if found.setdefault(whose, name).public_bytes() != name.public_bytes():
            named_twice = f"authority/{whose[0]}, generation {whose[1]}, has two names in it"
            raise InvalidInput((error(named_twice, hint="export the request once more"),))
    return found


def _brought(signed: Signed, answer: Answer) -> Signed:
    wrong: list[Diagnostic] = []
    for asked in in_order(answer.request):
        if pem := answer.certificates.get(asked.issuance.serial):
            try:
                der = to_der(pem.encode())
                replay_certificate(asked, der, signed.chains)
                signed = with_certificate(signed, asked, der)
            except (ProviderError, ValueError) as why:
                wrong.append(error(f"{named(asked)}: {why}"))
    for crl in answer.request.crls:
        if text := answer.crls.get(crl.name):
            try:
                der = b64decode(text, validate=True)
                replay_crl(crl, der, signed.chains)
                signed = replace(signed, crls={**signed.crls, crl.name: der})
            except (ProviderError, ValueError) as why:
                wrong.append(error(f"{crl.name}: {why}"))
    wrong += _strangers(signed, answer) if not wrong else ()
    if wrong:
        raise InvalidInput(wrong)
    return signed


def _strangers(signed: Signed, answer: Answer) -> Iterator[Diagnostic]:
    strangers = answer.certificates.keys() - signed.certificates.keys()
    for name in sorted(strangers | (answer.crls.keys() - signed.crls.keys())):
        yield error(f"{name} is signed, and is not asked for in the request")


def in_order(request: Request) -> Iterator[AskedCertificate]:
    """Yield the certificates asked for, each after the one that it hangs by."""
    waiting = sorted(
        request.certificates, key=lambda asked: (asked.whose, not asked.is_self_signed)
    )
    done: set[Generation] = {(ca.authority, ca.generation) for ca in request.standing}
    while waiting:
        ready = [a for a in waiting if a.is_self_signed or a.signer in done] or waiting
        for asked in ready:
            yield asked
            if not asked.crosses:
                done.add(asked.whose)
        waiting = [asked for asked in waiting if asked not in ready]


def with_certificate(signed: Signed, asked: AskedCertificate, der: bytes) -> Signed:
    """Return what is signed with one certificate more; a cross-certificate is nobody's chain."""
    above = () if asked.is_self_signed else signed.chains[asked.signer]
    chains = signed.chains if asked.crosses else {**signed.chains, asked.whose: (der, *above)}
    certificates = {**signed.certificates, asked.issuance.serial: der}
    return replace(signed, chains=chains, certificates=certificates)


def sign(signed: Signed, keys: Keys) -> Signed:
    """Sign what these keys can sign; raises `InvalidInput` with every refusal, and then nothing is signed."""
    wrong: list[Diagnostic] = []
    for asked in in_order(signed.request):
        try:
            signed = _certified(signed, asked, keys)
        except ProviderError as why:
            wrong.append(error(f"{named(asked)}: {why}"))
    for crl in signed.request.crls:
        try:
            signed = _listed(signed, crl, keys)
        except ProviderError as why:
            wrong.append(error(f"{crl.name}: {why}"))
    if wrong:
        raise InvalidInput(wrong)
    return signed


def _certified(signed: Signed, asked: AskedCertificate, keys: Keys) -> Signed:
    signer, spki = keys.get(asked.signer), _spki(signed, asked, keys)
    if signer is None or spki is None or asked.issuance.serial in signed.certificates:
        return signed
    der = make_certificate(asked, spki, signed.chains, signer)
    replay_certificate(asked, der, signed.chains)
    return with_certificate(signed, asked, der)


def _listed(signed: Signed, asked: AskedCrl, keys: Keys) -> Signed:
    signer = keys.get(asked.signer)
    if signer is None or asked.name in signed.crls:
        return signed
    der = make_crl(asked, signed.chains, signer)
    replay_crl(asked, der, signed.chains)
    return replace(signed, crls={**signed.crls, asked.name: der})


def _spki(signed: Signed, asked: AskedCertificate, keys: Keys) -> bytes | None:
    """Return the key that is certified: as reserved, as certified already, or as it is at hand."""
    if asked.issuance.spki:
        return b64decode(asked.issuance.spki)
    if chain := signed.chains.get(asked.whose):
        return facts(chain[0]).spki
    signer = keys.get(asked.whose)
    return x509.spki(signer.public_key()) if signer else None


def named(asked: AskedCertificate) -> str:
    """Return what a certificate is called at the table."""
    kind = "cross-certificate of " if asked.crosses else ""
    return f"{kind}authority/{asked.authority}, generation {asked.request.generation}"


def unsigned(signed: Signed) -> tuple[str, ...]:
    """Return what is not signed yet."""
    certificates = [
        named(asked)
        for asked in signed.request.certificates
        if asked.issuance.serial not in signed.certificates
    ]
    return (*certificates, *(c.name for c in signed.request.crls if c.name not in signed.crls))


def keyless(signed: Signed) -> Mapping[Generation, KeyType]:
    """Return the CA generations that sign and have no key yet, with the kind of key that is asked for."""
    return {
        asked.whose: asked.request.key
        for asked in in_order(signed.request)
        if not asked.issuance.spki and asked.whose not in signed.chains
    }


def assigned(signed: Signed, signers: Sequence[Signer]) -> Keys:
    """Return which key is whose: by certificate, then the others in order to CAs that have none yet.

    Raises `InvalidInput` for a key that is nobody's.
    """
    known = {chain[0]: whose for whose, chain in signed.chains.items()}
    holders = {facts(der).spki: whose for der, whose in known.items()}
    wanting, keys = dict(keyless(signed)), dict[Generation, Signer]()
    for signer in signers:
        public = signer.public_key()
        whose = holders.get(x509.spki(public))
        if whose is None:
            whose = next((w for w, kind in wanting.items() if _is(signer, kind)), None)
            wanting.pop(whose, None)  # type: ignore[arg-type]
        if whose is None:
            raise InvalidInput((error("a key that was given is of no CA that has to sign here"),))
        keys[whose] = signer
    return keys


def _is(signer: Signer, kind: KeyType) -> bool:
    algorithm, size = x509.key_type(signer.public_key())
    return (algorithm, size) == (kind.algorithm, kind.size)


def fingerprints(signed: Signed) -> Iterator[tuple[str, str]]:
    """Yield what is signed with its SHA-256 in hex, as it is read aloud."""
    for asked in in_order(signed.request):
        if der := signed.certificates.get(asked.issuance.serial):
            yield named(asked), facts(der).sha256
