"""CAs of every kind of key, made once, and the programs and linters that judge what they sign."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from key_kinds import P256

from providers import x509
from providers.signer import KeySigner, PrivateKey
from schemas.authority import NameConstraints
from schemas.certificate import Algorithm, Subject, Usage
from schemas.request import AuthorityRequest, KeyType, LeafRequest
from schemas.revocation import RevocationReason

URL = "http://pki.example.com/"
START, END = datetime(2020, 2, 29, tzinfo=UTC), datetime(2060, 1, 1, tzinfo=UTC)
"""The CAs' dates: judges without a clock of their own look at everything as of today."""


@dataclass(frozen=True)
class Authority:
    """One CA: its certificate, what is above it, and its CRL, as bytes and as files."""

    der: bytes
    above: tuple[bytes, ...]
    signer: KeySigner
    name: str

    @property
    def authority(self) -> x509.IssuingAuthority:
        return x509.IssuingAuthority.load(self.der, self.above)


class Mint:
    """Makes keys once, and CAs and leaves from them."""

    def __init__(self) -> None:
        self._keys: dict[tuple[Algorithm, int], PrivateKey] = {}

    def key(self, kind: KeyType) -> PrivateKey:
        name = (kind.algorithm, kind.size)
        if name not in self._keys:
            self._keys[name] = x509.generate_key(kind)
        return self._keys[name]

    def authority(
        self,
        name: str,
        kind: KeyType,
        parent: Authority | None = None,
        constraints: NameConstraints | None = None,
        path_length: int | None = None,
    ) -> Authority:
        request = AuthorityRequest(
            issuer=parent.name if parent else None,
            issuer_generation=1 if parent else None,
            generation=1,
            common_name=f"{name} G1",
            subject=Subject(organizations=("Example Ltd",), countries=("GB",)),
            key=kind,
            duration=86400,
            name_constraints=constraints,
            path_length=path_length,
        )
        key = self.key(kind)
        tbs = self._tbs(request, START, END, parent.name if parent else None)
        signer = KeySigner(key)
        der = x509.sign(
            tbs, parent.authority if parent else None, parent.signer if parent else signer
        )
        return Authority(der, (parent.der, *parent.above) if parent else (), signer, name)

    def leaf(
        self,
        parent: Authority,
        start: datetime,
        end: datetime,
        kind: KeyType = P256,
        **content: Any,
    ) -> bytes:
        request = LeafRequest(
            **{
                "issuer": parent.name,
                "issuer_generation": 1,
                "usages": (Usage.SERVER_AUTH,),
                "key": kind,
                "duration": 86400,
                **content,
            }
        )
        return x509.sign(
            self._tbs(request, start, end, parent.name), parent.authority, parent.signer
        )

    def crl(self, issuer: Authority, *serials: str) -> bytes:
        now = datetime.now(UTC).replace(microsecond=0)
        entries = {serial: x509.CrlEntry(now, RevocationReason.SUPERSEDED) for serial in serials}
        crl = x509.Crl(1, now - timedelta(minutes=1), now + timedelta(days=4), entries)
        return x509.sign_crl(crl, issuer.authority, issuer.signer)

    def _tbs(
        self,
        request: LeafRequest | AuthorityRequest,
        start: datetime,
        end: datetime,
        issuer: str | None,
    ) -> x509.ToBeSigned:
        return x509.ToBeSigned(
            request=request,
            serial=x509.new_serial(),
            not_before=start,
            not_after=end,
            spki=x509.spki(self.key(request.key).public_key()),
            crl_url=f"{URL}{issuer}.crl" if issuer else None,
            issuer_url=f"{URL}{issuer}.cer" if issuer else None,
        )


def crl_pem(der: bytes) -> bytes:
    return x509.pem(der).replace(b"CERTIFICATE", b"X509 CRL")


class Court:
    """OpenSSL and GnuTLS, asked about leaves below one CA."""

    def __init__(self, folder: Path, issuer: Authority, crls: tuple[bytes, ...]) -> None:
        self._folder = folder
        self._between = b"".join(map(x509.pem, (issuer.der, *issuer.above[:-1])))
        self._root = self._file("root.pem", x509.pem((issuer.der, *issuer.above)[-1]))
        self._untrusted = self._file("between.pem", self._between)
        self._crls = self._file("crls.pem", b"".join(map(crl_pem, crls)))

    def openssl(self, *leaves: bytes, purpose: str = "any") -> subprocess.CompletedProcess[str]:
        files = [self._file(f"{n}.pem", x509.pem(leaf)) for n, leaf in enumerate(leaves)]
        return _run(
            *("openssl", "verify", "-x509_strict", "-crl_check_all", "-purpose", purpose),
            *("-CAfile", self._root, "-untrusted", self._untrusted, "-CRLfile", self._crls),
            *files,
        )

    def gnutls(self, leaf: bytes) -> subprocess.CompletedProcess[str]:
        chain = self._file("chain.pem", x509.pem(leaf) + self._between)
        return _run(
            *("certtool", "--verify", "--load-ca-certificate", self._root),
            *("--load-crl", self._crls, "--infile", chain),
        )

    def _file(self, name: str, content: bytes) -> Path:
        path = self._folder / name
        path.write_bytes(content)
        return path


def _run(*argv: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, check=False)
