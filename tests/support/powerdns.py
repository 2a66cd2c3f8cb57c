"""A real PowerDNS on free ports of this host, with a zone that its HTTP API changes."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from name_server_ports import HOST, txt, wait_for
from wire import free_port

API_KEY = "a-test-key-of-powerdns"
_CONF = """\
launch=lmdb
lmdb-filename={folder}/pdns.lmdb
lmdb-shards=1
lmdb-sync-mode=nosync
socket-dir={folder}
local-address={host}
local-port={port}
api=yes
api-key={key}
webserver=yes
webserver-address={host}
webserver-port={web}
webserver-loglevel=none
daemon=no
guardian=no
write-pid=no
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
receiver-threads=1
distributor-threads=1
security-poll-suffix=
"""


@dataclass(frozen=True, slots=True)
class PowerDns:
    """A name server that runs, and the address of its API."""

    port: int
    web: int

    @property
    def api(self) -> str:
        """Where its API is."""
        return f"http://{HOST}:{self.web}"

    def values(self, name: str) -> frozenset[str]:
        """Return the TXT values that are there."""
        return txt(self.port, name)

    def make_zone(self, zone: str) -> None:
        """Make an empty zone."""
        body = {"name": f"{zone}.", "kind": "Native", "nameservers": [f"ns1.{zone}."]}
        request = urllib.request.Request(
            f"{self.api}/api/v1/servers/localhost/zones",
            json.dumps(body).encode(),
            {"X-API-Key": API_KEY, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10):
            return


@contextmanager
def powerdns_running(folder: Path, *zones: str) -> Iterator[PowerDns]:
    """Run a server with these zones until the block ends."""
    program = shutil.which("pdns_server", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        pytest.skip("pdns_server is not installed (apt: pdns-server, pdns-backend-lmdb)")
    server = PowerDns(free_port(), free_port())
    conf = _CONF.format(folder=folder, host=HOST, port=server.port, web=server.web, key=API_KEY)
    (folder / "pdns.conf").write_text(conf)
    with (folder / "pdns.log").open("wb") as log:
        argv = [program, f"--config-dir={folder}"]
        process = subprocess.Popen(argv, stdout=log, stderr=log)
    try:
        for zone in zones:
            _make(server, zone, process)
        wait_for(server.port, zones[0], lambda: process.poll() is None)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def _make(server: PowerDns, zone: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while True:
        try:
            return server.make_zone(zone)
        except (urllib.error.URLError, ConnectionError):
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
