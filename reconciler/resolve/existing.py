"""CAs that existed before: their files read, and compared with what the documents say of them."""

import hashlib
from base64 import b64encode
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from providers.errors import Conflict
from providers.sops.recipients import recipients_of
from providers.x509 import (
    CertificateFacts,
    ExistingAuthority,
    existing_authority,
    facts,
    is_issued_by,
    split_pem,
    was_issued_by,
)
from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.yaml import Step
from reconciler.past.history import Files, History, Room, read_history
from reconciler.resolve.catalogue import Entry, Shelf
from reconciler.takeover import Takeover
from schemas.authority import AuthoritySpec, Existing
from schemas.base import digest
from schemas.custody import SIGNS, CaCustody, Kept, RemoteKey, SopsKey
from schemas.plan import Source
from schemas.request import AuthorityRequest

_SEALED = "sops encrypt --input-type binary --output-type binary --age AGE ca.key > FILE"


@dataclass(frozen=True, slots=True)
class Read:
    """One document with the certificate that it names."""

    entry: Entry[AuthoritySpec]
    existing: Existing
    der: bytes
    facts: CertificateFacts
    said: ExistingAuthority

    @property
    def path(self) -> str:
        """The certificate's file."""
        return self.existing.certificate

    @property
    def custody(self) -> CaCustody | None:
        """Where the key is; None where the document does not say."""
        return self.existing.custody or self.entry.spec.private_key.custody

    def at(self, *path: Step) -> Source:
        """The place of a field of the spec."""
        return self.entry.document.at("spec", *path)

    @property
    def place(self) -> Source:
        """The place where the certificate is named."""
        return self.at("existing", "certificate")


def read_existing(
    shelf: Shelf[AuthoritySpec], files: Mapping[str, bytes], found: list[Diagnostic]
) -> Mapping[str, Takeover]:
    """Return every CA that existed before and is sound, by the name of its Authority."""
    read: dict[str, Read] = {}
    for name, entry in sorted(shelf.entries.items()):
        one = _read(entry, files, found)
        if one is not None:
            read[name] = one
    known: dict[str, Takeover] = {}
    room = Room()
    for name, one in read.items():
        wrong = [*_check(one, read, shelf.names), *_check_key(one, files)]
        found += wrong
        found += _remarks(one)
        history = read_history(_files(one, files), found, room)
        if not wrong and one.custody is not None:
            known[name] = _takeover(one, one.custody, history, files)
    found += _revoked(known, read)
    return known


def _read(
    entry: Entry[AuthoritySpec], files: Mapping[str, bytes], found: list[Diagnostic]
) -> Read | None:
    existing = entry.spec.existing
    if existing is None or existing.certificate not in files:
        return None
    place = entry.document.at("spec", "existing", "certificate")
    try:
        der = _one(files[existing.certificate])
        return Read(entry, existing, der, facts(der), existing_authority(der))
    except ValueError as why:
        summary = f'"{existing.certificate}" cannot be taken over: {why}'
        hint = "name the CA's own certificate, alone and in PEM"
        found.append(error(summary, place, hint=hint))
        return None


def _one(data: bytes) -> bytes:
    ders = split_pem(data)
    if len(ders) != 1:
        raise ValueError(f"it holds {len(ders)} certificates and not one")
    return ders[0]


def _check(one: Read, read: Mapping[str, Read], names: Collection[str]) -> Iterator[Diagnostic]:
    yield from _generations(one)
    yield from _above(one, read, names)
    if one.existing.generation == one.entry.spec.generation:
        yield from _unlike(one)
    for name, other in read.items():
        if other.facts.spki == one.facts.spki and name < one.entry.name:
            hint = "every CA has a key of its own; another certificate of it is the same CA"
            yield error(f"the key in it is that of {name}, too", one.place, hint=hint)


def _generations(one: Read) -> Iterator[Diagnostic]:
    spec, number = one.entry.spec, one.existing.generation
    if number > spec.generation:
        summary = f"generation {number} existed before, and {spec.generation} is to issue"
        hint = f"set generation: {number}"
        yield error(summary, one.at("existing", "generation"), hint=hint)
    kept = spec.private_key.custody
    if spec.generation > number and isinstance(kept, SopsKey | Kept) and kept is not Kept.OFFLINE:
        summary = f"generation {number + 1} needs a key of its own"
        hint = "name it in privateKey.custody, and the key that existed before in existing.custody"
        yield error(summary, one.at("privateKey", "custody"), hint=hint)


def _above(one: Read, read: Mapping[str, Read], names: Collection[str]) -> Iterator[Diagnostic]:
    """Yield a finding unless the certificate is signed by that of its parent, a root's by itself."""
    name, issuer = one.entry.spec.parent_ref, one.facts.issuer
    if name is None:
        if not one.said.is_root:
            hint = "name it in parentRef; custody: none is for one whose key is nobody's here"
            yield error(f'"{one.path}" is no root: {issuer} signed it', one.place, hint=hint)
        return
    parent = read.get(name)
    if parent is None:
        summary = f"what {name} signed before is not known: it did not exist before"
        hint = (
            f"give {name} the certificate in existing, with custody: none if its key is not yours"
        )
        if name not in names:
            hint = (
                "refer to an Authority that has that CA's certificate in existing (custody: none)"
            )
        yield error(summary, one.at("parentRef"), hint=hint)
    elif not is_issued_by(one.facts.certificate, parent.facts.certificate):
        summary, hint = (
            f'"{one.path}" is not signed by {name} ("{parent.path}")',
            f"it is signed by {issuer}",
        )
        if was_issued_by(one.facts.certificate, parent.facts.certificate):
            summary = f'{name} signed "{one.path}" with SHA-1, and nobody takes that any more'
            hint = "have it signed anew, for the same key and name"
        yield error(summary, one.at("parentRef"), hint=hint)


def _unlike(one: Read) -> Iterator[Diagnostic]:
    """Yield every field that is written, and differs from what the certificate says."""
    spec, said = one.entry.spec, one.said
    named = {said.common_name, (said.common_name or "").removesuffix(f" G{spec.generation}")}
    if said.common_name is not None and spec.common_name not in named:
        yield _differs(one, f'commonName "{said.common_name}"', "commonName")
    key = spec.private_key
    if "algorithm" in key.model_fields_set and key.algorithm is not said.key.algorithm:
        yield _differs(one, f"a key of {said.key}", "privateKey", "algorithm")
    elif key.size is not None and key.size != said.key.size:
        yield _differs(one, f"a key of {said.key}", "privateKey", "size")
    for field, path, value in (
        ("path_length", "pathLength", said.path_length),
        ("name_constraints", "nameConstraints", said.constraints),
    ):
        if field in spec.model_fields_set and getattr(spec, field) != value:
            yield _differs(one, f"{path} otherwise" if value is not None else f"no {path}", path)


def _differs(one: Read, what: str, *path: Step) -> Diagnostic:
    summary = f'the certificate in "{one.path}" says {what}'
    hint = "leave it as the certificate has it: only a later generation can say something else"
    return error(summary, one.at(*path), hint=hint)


def _check_key(one: Read, files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Yield what can be told of where the key is, without opening it."""
    field = ("existing", "custody") if one.existing.custody else ("privateKey", "custody")
    match one.custody:
        case None:
            summary = "it does not say where the key of the CA is that existed before"
            hint = "set privateKey.custody: {sops: FILE}, a key service, a token, offline or none"
            yield error(summary, one.at("existing"), hint=hint)
        case SopsKey(sops=path) if path in files and not _is_sealed(files[path]):
            summary = f'"{path}" is not a whole key file in a sops file'
            yield error(summary, one.at(*field, "sops"), hint=f"make it with: {_SEALED}")
        case RemoteKey(kind=kind) if one.said.key.size not in SIGNS[kind].get(
            one.said.key.algorithm, ()
        ):
            yield error(f"{kind} signs with no {one.said.key} key", one.at(*field))
        case _:
            return


def _is_sealed(data: bytes) -> bool:
    """Whether sops wrote this of a file in binary form: JSON with the whole in one field."""
    try:
        recipients_of(data)
    except Conflict:
        return False
    return b'"data"' in data


def _remarks(one: Read) -> Iterator[Diagnostic]:
    for name in one.said.remarks:
        summary = f'the name constraint "{name}" counts here for the domain and everything below'
        detail = "Verifiers may take it more narrowly."
        yield warning(summary, one.place, detail=detail)


def _files(one: Read, files: Mapping[str, bytes]) -> Files:
    named = one.existing

    def file(path: str | None, *step: Step) -> tuple[bytes, str, Source] | None:
        known = path is not None and path in files
        return (files[path], path, one.at("existing", *step)) if path and known else None

    issued = (file(path, "issued", index) for index, path in enumerate(named.issued))
    return Files(
        certificate=one.facts,
        der=one.der,
        crl=file(named.crl, "crl"),
        index=file(named.index, "index"),
        issued=tuple(item for item in issued if item is not None),
    )


def _takeover(
    one: Read, custody: CaCustody, history: History, files: Mapping[str, bytes]
) -> Takeover:
    named = one.existing
    paths = (named.certificate, named.crl, named.index, *named.issued)
    secret = custody.secret if isinstance(custody, RemoteKey) else None
    sealed = custody.sops if isinstance(custody, SopsKey) else secret.name if secret else None
    return Takeover(
        request=_request(one, custody),
        custody=custody,
        certificate=one.der,
        serial=one.facts.serial,
        sha256=one.facts.sha256,
        not_before=one.facts.not_before,
        not_after=one.facts.not_after,
        spki=b64encode(one.facts.spki).decode(),
        subject=one.said.subject,
        evidence=digest([hashlib.sha256(files.get(p or "", b"")).hexdigest() for p in paths]),
        past=history.entries,
        number=history.number,
        sealed=files.get(sealed) if sealed else None,
    )


def _request(one: Read, custody: CaCustody) -> AuthorityRequest:
    said, parent = one.said, one.entry.spec.parent_ref
    return AuthorityRequest(
        issuer=parent,
        generation=one.existing.generation,
        common_name=said.common_name or one.entry.spec.common_name,
        subject=said.words,
        key=said.key,
        duration=said.duration,
        path_length=said.path_length,
        name_constraints=said.constraints,
        key_ref=custody.reference,
        inherited=said.inherited,
    )


def _revoked(known: dict[str, Takeover], read: Mapping[str, Read]) -> Iterator[Diagnostic]:
    """Name the generation that signed each; yield a finding for every one that its parent has revoked."""
    for name, takeover in list(known.items()):
        parent = known.get(takeover.request.issuer or "")
        if parent is None:
            continue
        number = {"issuer_generation": parent.generation}
        known[name] = replace(takeover, request=takeover.request.model_copy(update=number))
        if any(e.serial == takeover.serial and e.revoked for e in parent.past):
            yield error(f"{takeover.request.issuer} has revoked it", read[name].place)
