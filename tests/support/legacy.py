"""Real CAs of before: made and used by OpenSSL's `ca`, as the guides tell, and as EasyRSA does."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

CONFIG = """\
[ca]
default_ca = here
[here]
dir = {dir}
database = $dir/index.txt
new_certs_dir = $dir/newcerts
serial = $dir/serial
crlnumber = $dir/crlnumber
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = {md}
default_days = 825
default_crl_days = 30
policy = any
unique_subject = no
crl_extensions = crl
copy_extensions = copy
[any]
commonName = supplied
organizationName = optional
[crl]
authorityKeyIdentifier = keyid
[req]
prompt = no
distinguished_name = name
string_mask = {mask}
utf8 = yes
[name]
{name}
[root]
{root}
[sub]
basicConstraints = critical, CA:true, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[leaf]
basicConstraints = CA:false
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
extendedKeyUsage = serverAuth
"""
NAME = "C = DE\nO = Bäckerei Müller\nemailAddress = ca@example.com\nCN = Legacy CA"
TUTORIAL = "basicConstraints = critical, CA:true\nsubjectKeyIdentifier = hash"
"""OpenSSL's own v3_ca has no key usage."""
EASYRSA = (
    "basicConstraints = CA:TRUE\nsubjectKeyIdentifier = hash\n"
    "authorityKeyIdentifier = keyid:always,issuer:always\nkeyUsage = cRLSign, keyCertSign"
)


@dataclass
class LegacyCa:
    """One CA in a folder of its own; `issued` are the serial numbers (hex) it gave."""

    folder: Path
    issued: list[str] = field(default_factory=list)

    @classmethod
    def founded(
        cls,
        folder: Path,
        *,
        key: tuple[str, ...] = ("rsa", "rsa_keygen_bits:2048"),
        name: str = NAME,
        root: str = TUTORIAL,
        mask: str = "pkix",
        md: str = "sha256",
        days: int = 3650,
    ) -> "LegacyCa":
        """Make a root with its database, as the guides tell."""
        (folder / "newcerts").mkdir(parents=True)
        (folder / "index.txt").touch()
        (folder / "serial").write_text("1000\n")
        (folder / "crlnumber").write_text("1000\n")
        config = CONFIG.format(dir=folder, md=md, mask=mask, name=name, root=root)
        (folder / "openssl.cnf").write_text(config, encoding="utf-8")
        made = cls(folder)
        made.key("ca", key)
        made.openssl(
            *("req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-days", str(days)),
            *("-config", "openssl.cnf", "-extensions", "root", f"-{md}"),
        )
        return made

    def openssl(self, *arguments: str | Path, code: int = 0) -> str:
        """Run OpenSSL in the folder."""
        done = subprocess.run(
            [shutil.which("openssl") or "openssl", *map(str, arguments)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def key(self, name: str, kind: tuple[str, ...]) -> None:
        """Make a private key."""
        self.openssl(
            *("genpkey", "-algorithm", kind[0], "-out", f"{name}.key"),
            *(part for option in kind[1:] for part in ("-pkeyopt", option)),
        )

    def issue(self, name: str, *more: str, extensions: str = "leaf") -> str:
        """Issue a certificate by `openssl ca`; return its serial number in hex, as index.txt has it."""
        self.key(name, ("EC", "ec_paramgen_curve:P-256"))
        self.openssl(
            *("req", "-new", "-key", f"{name}.key", "-subj", f"/CN={name}"),
            *("-addext", f"subjectAltName=DNS:{name}", "-out", f"{name}.csr"),
        )
        self.openssl(
            *("ca", "-batch", "-config", "openssl.cnf", "-in", f"{name}.csr", "-notext"),
            *("-out", f"{name}.pem", "-extensions", extensions, *more),
        )
        found = self.openssl("x509", "-noout", "-serial", "-in", f"{name}.pem")
        self.issued.append(re.sub("^serial=|\n", "", found))
        return self.issued[-1]

    def revoke(self, name: str, *reason: str) -> None:
        """Revoke one by `openssl ca`."""
        why = ("-crl_reason", *reason) if reason else ()
        self.openssl("ca", "-config", "openssl.cnf", "-revoke", f"{name}.pem", *why)

    def publish(self) -> None:
        """Sign a CRL by `openssl ca`."""
        self.openssl("ca", "-config", "openssl.cnf", "-gencrl", "-out", "ca.crl")
