"""Certificates of others in files of the repository, as a Bundle brings them."""

from collections.abc import Iterator, Mapping

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.files import is_guarded
from reconciler.resolve.catalogue import Entry
from schemas.bundle import BundleSpec
from schemas.plan import Source

_LARGEST = 900_000
"""Bytes of all files of one Bundle: with our roots they have to fit a file of 1 MiB."""


def check_files(entry: Entry[BundleSpec], files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Yield what is wrong with the files that a Bundle names; those that could not be read were told."""
    first: dict[bytes, str] = {}
    for index, name in enumerate(entry.spec.files):
        place = entry.document.at("spec", "files", index)
        if not is_guarded(name):
            hint = (
                "put it there, so that whoever guards those folders is asked about what it brings"
            )
            yield error(f"{name} is not below config/ or authorities/", place, hint=hint)
        if name in files:
            yield from _check(name, files[name], place, first)
    if sum(len(files.get(name, b"")) for name in entry.spec.files) > _LARGEST:
        summary = f"the files are larger than {_LARGEST:,} bytes together"
        yield error(summary, entry.document.at("spec", "files"))


def others(entry: Entry[BundleSpec], files: Mapping[str, bytes]) -> tuple[bytes, ...]:
    """Return the certificates (PEM) of the files that a Bundle names, each once."""
    if not entry.spec.files:
        return ()
    from providers.anchors import unbundled  # noqa: PLC0415  cryptography is slow to import

    whole = b"\n".join(files.get(name, b"") for name in entry.spec.files)
    return tuple(unbundled(whole).values())


def _check(
    name: str, content: bytes, place: Source, first: dict[bytes, str]
) -> Iterator[Diagnostic]:
    """Yield what is wrong with a file; `first` are the certificates of those before it."""
    from providers.x509 import split_pem  # noqa: PLC0415  cryptography is slow to import

    if b"PRIVATE KEY-----" in content:
        hint = "take it out, and out of git's history: whoever could read the file has that key"
        yield error(f"{name} holds a private key", place, hint=hint)
        return
    try:
        certificates = split_pem(content)
    except ValueError:
        certificates = ()
    if not certificates or len(certificates) != content.count(b"-----BEGIN "):
        hint = "it must hold certificates in PEM (-----BEGIN CERTIFICATE-----), and nothing else"
        yield error(f"{name} holds something that is no certificate in PEM", place, hint=hint)
        return
    for der in certificates:
        if der in first:
            where = "twice" if first[der] == name else f"that is in {first[der]} as well"
            yield warning(f"{name} holds a certificate {where}: {_subject(der)}", place)
        else:
            first[der] = name
            yield from _check_anchor(name, der, place)


def _check_anchor(name: str, der: bytes, place: Source) -> Iterator[Diagnostic]:
    from providers.x509 import facts  # noqa: PLC0415  cryptography is slow to import

    try:
        found = facts(der)
        is_ca, is_root = found.is_ca, found.subject == found.issuer
    except ValueError:
        yield error(f"{name} holds a certificate that cannot be read", place)
        return
    if not is_ca:
        hint = (
            "an anchor is a CA's certificate; one of a server would be trusted for its name alone"
        )
        yield error(f"{name}: {_subject(der)} is not a CA certificate", place, hint=hint)
    elif not is_root:
        hint = "many verifiers take no intermediate for an anchor; name the root it hangs by"
        yield warning(f"{name}: {_subject(der)} is not self-signed", place, hint=hint)


def _subject(der: bytes) -> str:
    from providers.x509 import facts  # noqa: PLC0415  cryptography is slow to import

    try:
        return facts(der).subject or "one without a subject"
    except ValueError:
        return "one that cannot be read"
