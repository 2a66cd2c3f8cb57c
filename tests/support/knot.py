"""A real name server, Knot DNS, on a free port of this host, with zones that take signed updates."""

import base64
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from name_server_ports import HOST, txt, wait_for
from wire import free_port

from providers.errors import NotFound
from providers.secret import Secret
from providers.solving import SolverConfig
from schemas.secrets import SecretReference
from schemas.solvers import Rfc2136

KEY_NAME = "certform-test-key"
KEY = base64.b64encode(b"a test key that guards nothing !").decode()
REFERENCE = SecretReference(name="tsig.sops.yaml", key="secret")
_CONF = """\
server:
    rundir: "{folder}"
    pidfile: "{folder}/knot.pid"
    listen: {host}@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: warning
database:
    storage: "{folder}/db"
key:
  - id: {key_name}
    algorithm: hmac-sha256
    secret: {key}
  - id: a-test-key-without-rights
    algorithm: hmac-sha256
    secret: {key}
{acl}
template:
  - id: default
    storage: "{folder}"
    file: "%s.zone"
    acl: {key_name}
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: changes
zone:
"""
ACL = f"""\
acl:
  - id: {KEY_NAME}
    key: {KEY_NAME}
    action: update
    update-type: TXT
"""
_ZONE = """\
$ORIGIN {zone}.
$TTL 60
@ SOA ns1 hostmaster 1 3600 600 86400 1
@ NS ns1
ns1 A {host}
{records}
"""


@dataclass(frozen=True, slots=True)
class Knot:
    """A name server that runs."""

    port: int

    @property
    def nameserver(self) -> str:
        """Where it is, as a document writes it."""
        return f"{HOST}:{self.port}"

    def settings(self, **changed: object) -> Rfc2136:
        """Return the settings of a solver for it."""
        written = {
            "nameserver": self.nameserver,
            "tsig_key_name": KEY_NAME,
            "tsig_secret_ref": REFERENCE,
            **changed,
        }
        return Rfc2136.model_validate(written)

    def config(self, secret: str = KEY, **changed: object) -> SolverConfig:
        """Return what a solver for it is made from."""

        def opened(reference: SecretReference) -> Secret:
            if reference != REFERENCE:
                raise NotFound(reference.name)
            return Secret(secret.encode())

        return SolverConfig(self.settings(**changed), opened)

    def values(self, name: str) -> frozenset[str]:
        """Return the TXT values that are there."""
        return txt(self.port, name)


@contextmanager
def knot_running(folder: Path, zones: Mapping[str, str], acl: str = ACL) -> Iterator[Knot]:
    """Run a server until the block ends; `zones` are records, as in zone files, by their zone.

    `acl` is what Knot's own configuration allows the key to do.
    """
    program = shutil.which("knotd", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("knotd is not installed (apt: knot)")
    (folder / "db").mkdir()
    port = free_port()
    conf = _CONF.format(folder=folder, host=HOST, port=port, key_name=KEY_NAME, key=KEY, acl=acl)
    (folder / "knot.conf").write_text(conf + "".join(f"  - domain: {zone}\n" for zone in zones))
    for zone, records in zones.items():
        text = _ZONE.format(zone=zone, host=HOST, records=records)
        (folder / f"{zone}.zone").write_text(text)
    with (folder / "knot.log").open("wb") as log:
        process = subprocess.Popen([program, "-c", folder / "knot.conf"], stdout=log, stderr=log)
    try:
        wait_for(port, next(iter(zones)), lambda: process.poll() is None)
        yield Knot(port)
    finally:
        process.terminate()
        process.wait(10)
