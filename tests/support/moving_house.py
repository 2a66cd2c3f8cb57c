"""A house whose one certificate may come from any of four CAs, and is served by a real nginx all the time.

A CA of ours, AWS Private CA on loopback, Pebble, and OpenBao: each Issuer stands in the documents from the
beginning, so that one line of one document moves the certificate.
"""

import re
import shutil
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

import acme_estate
import issuer_rig
import judge
import rig
import served_house
import vault_estate
from acme_ca_rig import pem_key
from aws_emulator import AwsEmulator
from bao import Bao
from bao_logins import app_role, documented_policy
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from name_server_ports import HOST
from pebble import Pebble
from private_ca import PrivateCa
from rig import Ended, Repository, Runner
from served_house import Caller
from wire import Tls, free_port

from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.ledger.records import CertificateRecord
from schemas.project import Recipient

NAME = "web.example.com"
CAS = ("issuing", "private", "public", "internal")
"""A CA of ours, AWS's, the one that speaks ACME, and Vault's: as `issuerRef` has them."""
WEB = """\
kind: Certificate
metadata: {{name: web}}
spec: {{issuerRef: {issuer}, dnsNames: [web.example.com], targets: [edge], onRemove: revoke}}
"""
EDGE = """\
kind: Target
metadata: {{name: edge}}
spec:
  local-directory: {{path: live/edge, keepGenerations: 2}}
  check: [{nginx}, -t]
  reload: [{nginx}, -s, reload]
  verify: {{connect: "127.0.0.1:{port}", timeout: 60s}}
"""
PLAIN = """\
kind: Target
metadata: {name: edge}
spec: {local-directory: {path: live/edge, keepGenerations: 2}}
"""


@dataclass
class MovingHouse:
    """The repository, its CAs, and nginx. `roots` are what clients trust, by the name of the CA."""

    repository: Repository
    runner: Runner
    aws: AwsEmulator
    cas: PrivateCa
    arn: str
    pebble: Pebble
    bao: Bao
    nginx: tuple[str, ...]
    port: int = field(default_factory=free_port)
    roots: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    @contextmanager
    def founded(cls, runner: Runner, place: Path, nginx: str) -> Iterator["MovingHouse"]:
        """Make it: the certificate is issued by a CA of ours, and served."""
        tls, cas = Tls.made(place / "tls"), PrivateCa()
        arn = cas.create()
        argv = (nginx, "-p", str(place), "-c", str(place / "nginx.conf"))
        with ExitStack() as stack:
            aws = stack.enter_context(AwsEmulator(services={"acm-pca": cas}).running())
            pebble = stack.enter_context(Pebble.running(place / "pebble"))
            bao = stack.enter_context(Bao.running(place / "bao", tls=tls))
            repository = rig.prepare(runner, place)
            house = cls(repository, runner, aws, cas, arn, pebble, bao, argv)
            house.declare(tls)
            house.move("issuing")
            assert house.apply().status == 0
            house.learn()
            house.configure()
            stack.enter_context(served_house.serving(argv, house.port))
            house.write("config/targets.yaml", EDGE.format(nginx=", ".join(argv), port=house.port))
            yield house

    def declare(self, tls: Tls) -> None:
        """Write all Issuers, their anchors and their secrets."""
        self.roots["internal"] = self.bao.mount_pki().encode()
        self.bao.policy("certform", documented_policy())
        role, secret_id = app_role(self.bao)
        (self.repository.root / "certificates.yaml").unlink()
        private, _, _ = issuer_rig.ISSUERS.format(arn=self.arn).partition("---\n")
        public = acme_estate.ISSUER.format(
            url=self.pebble.url, listen=f"{HOST}:{self.pebble.web_port}"
        )
        internal = vault_estate.ISSUER.format(url=self.bao.url, role=role)
        self.write("config/issuers.yaml", f"{private}---\n{public}---\n{internal}")
        self.write("config/targets.yaml", PLAIN)
        self.write("config/acme-ca.pem", self.pebble.anchors.decode())
        self.write("config/vault-ca.pem", tls.authority.read_text())
        self.seal("secrets/acme.sops.yaml", "account", pem_key())
        self.seal("secrets/vault.sops.yaml", "secretId", secret_id.encode())

    def learn(self) -> None:
        """Write down the root of each CA: what clients trust from the beginning."""
        ours = next(iter(judge.ledger(self.repository.root).authorities["root"].issuances))
        assert ours.certificate
        self.roots["issuing"] = ours.certificate.encode()
        self.roots["private"] = self.cas.cas[self.arn].chain[-1].public_bytes(Encoding.PEM)
        self.roots["public"] = self.pebble.manage("roots/0")
        self.bundle.write_bytes(b"\n".join(self.roots.values()))

    @property
    def bundle(self) -> Path:
        """The file of all four roots."""
        return self.repository.temporary.parent / "roots.pem"

    def part(self) -> None:
        """Let nginx serve a copy of what is installed: the certificate's own files are free to go."""
        copy = self.repository.temporary.parent / "copy"
        shutil.copytree(self.folder, copy)
        self.configure(pair=copy)

    def configure(self, extra: str = "", pair: Path | None = None) -> None:
        """Write nginx's configuration; `extra` is more of it, `pair` the folder that is served."""
        base = self.repository.temporary.parent
        server = served_house.SERVER.format(port=self.port, pair=pair or self.folder, verify="")
        temporary = " ".join(f"{k}_temp_path {base}/{k};" for k in served_house.KINDS)
        text = served_house.NGINX.format(
            base=base, temporary=temporary, servers=server, extra=extra
        )
        (base / "nginx.conf").write_text(text)

    @contextmanager
    def calling(self) -> Iterator[Caller]:
        """Let a client call that trusts all four roots, and never stops until the end of the context."""
        caller = Caller("by four roots", self.call)
        thread = Thread(target=caller.run)
        thread.start()
        try:
            yield caller
        finally:
            caller.stopped.set()
            thread.join()

    def call(self) -> int:
        """Ask for a page by a new handshake; return the serial that the server showed."""
        context = ssl.create_default_context(cafile=str(self.bundle))
        return served_house.visit(self.port, NAME, context)

    def move(self, issuer: str) -> None:
        """Change the one line."""
        self.write("web.yaml", WEB.format(issuer=issuer))

    def revoke(self, serial: int) -> None:
        """Write a Revocation of one serial."""
        self.write("revocation.yaml", rig.REVOCATION.format(serial=f"{serial:x}"))

    def write(self, path: str, text: str) -> None:
        """Write a file of the repository."""
        file = self.repository.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def seal(self, path: str, key: str, value: bytes) -> None:
        """Write a sops file that the repository's own identity opens."""
        found = re.search(r"age1[a-z0-9]+", (self.repository.root / "certform.yaml").read_text())
        assert found
        sealed = Sops().seal({key: Secret(value)}, path, [Recipient(age=found[0])])
        self.write(path, sealed.decode())

    def commit(self) -> None:
        """Commit what is in the documents."""
        root, who = self.repository.root, ("-c", "user.name=t", "-c", "user.email=t@example.com")
        rig.git(root, "add", "config", "authorities", "secrets", "certform.yaml", "web.yaml")
        rig.git(root, *who, "commit", "--quiet", "-m", "base")

    def run(self, *argv: str, strace: Sequence[str] = (), **variables: str) -> Ended:
        """Run certform with what AWS's SDK looks for in its environment."""
        environment = {**self.aws.environment(), **variables}
        return self.runner.run(self.repository, *argv, strace=strace, **environment)

    def apply(self, **variables: str) -> Ended:
        """Run `certform apply --auto-approve`."""
        return self.run("apply", "--auto-approve", **variables)

    def settle(self) -> None:
        """Apply, and expect that nothing is left to do."""
        ended = self.apply()
        assert ended.status == 0, ended.out + ended.err
        left = self.run("plan")
        assert "No changes" in left.out, left.out + left.err

    @property
    def folder(self) -> Path:
        """Where the certificate is installed."""
        return self.repository.root / "live/edge/web/current"

    @property
    def served(self) -> x509.Certificate:
        """The certificate that is installed."""
        return x509.load_pem_x509_certificate((self.folder / "cert.pem").read_bytes())

    @property
    def record(self) -> CertificateRecord:
        """What the ledger says of the certificate."""
        return judge.ledger(self.repository.root).certificates["web"]

    def issued(self) -> Mapping[str, int]:
        """How many certificates each CA of others has issued to us."""
        return {
            "private": len(self.cas.sold),
            "public": self.pebble.log.count("Issued certificate serial"),
            "internal": len(self.bao.issued()) - 1,
        }

    def revoked(self, issuer: str, certificate: x509.Certificate) -> bool:
        """Whether the CA that issued a certificate says itself that it is revoked."""
        serial = certificate.serial_number
        if issuer == "private":
            return self.cas.sold[f"{self.arn}/certificate/{serial}"].revoked is not None
        if issuer == "public":
            return bool(
                self.pebble.status(certificate.public_bytes(Encoding.DER))["Status"] == "Revoked"
            )
        if issuer == "internal":
            crl = self.bao.read("pki/issuer/default/crl")["crl"].encode()
            return (
                x509.load_pem_x509_crl(crl).get_revoked_certificate_by_serial_number(serial)
                is not None
            )
        lists = (self.repository.root / "live/pki").glob("*.crl")
        return any(
            x509.load_der_x509_crl(path.read_bytes()).get_revoked_certificate_by_serial_number(
                serial
            )
            for path in lists
        )
