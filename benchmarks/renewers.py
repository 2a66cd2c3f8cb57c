"""Programs that renew a certificate at one Pebble: what each is told, and where a server reads its pair."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acme_estate import AcmeEstate
from acme_tally import WEBROOT
from pebble import Pebble
from repository import CERTFORM

NAME = "web.example.com"
MAIL = "pki@example.com"


@dataclass(frozen=True, slots=True)
class Renewer:
    """A program. `renew` renews whatever the date is, `pass_by` is what runs every night.

    `state` is all it keeps; a server reads `key`, and each of `chains` begins with its certificate.
    """

    name: str
    state: Path
    environment: Mapping[str, str] = field(repr=False)
    begin: Sequence[str]
    renew: Sequence[str]
    pass_by: Sequence[str]
    key: Path
    chains: Sequence[Path]
    threads: bool = False
    """Whether its calls come from many threads, so that they cannot be counted in one."""

    def run(self, command: Sequence[str], before: Sequence[str] = ()) -> int:
        """Run one of the commands to its end."""
        words = [*before, *command]
        return subprocess.run(
            words, env=self.environment, check=False, capture_output=True, stdin=subprocess.DEVNULL
        ).returncode


def certform(estate: AcmeEstate, webroot: Path) -> Renewer:
    """Return certform, its ledger and targets in one repository."""
    root = estate.repository.root
    (root / "authorities/ca.yaml").unlink()
    estate.want(NAME)
    estate.write("config/issuers.yaml", WEBROOT.format(url=estate.pebble.url, webroot=webroot))
    current = root / "live/edge/web/current"
    apply = (CERTFORM, "--chdir", str(root), "apply", "--auto-approve")
    return Renewer(
        "certform",
        root,
        estate.repository.environment,
        begin=apply,
        renew=(*apply, "--replace", "certificate/web"),
        pass_by=apply,
        key=current / "privkey.pem",
        chains=(current / "cert.pem", current / "fullchain.pem"),
    )


def certbot(pebble: Pebble, folder: Path, webroot: Path) -> Renewer:
    """Return certbot."""
    words = ("certbot", "--config-dir", f"{folder}/state", "--work-dir", f"{folder}/work")
    base = (*words, "--logs-dir", f"{folder}/logs", "--server", pebble.url, "-n")
    live = folder / "state/live" / NAME
    ask = ("certonly", "--webroot", "-w", str(webroot), "-d", NAME, "--agree-tos", "-m", MAIL)
    renew = (*base, "renew", "--no-random-sleep-on-renew", "--cert-name", NAME)
    return Renewer(
        "certbot",
        folder / "state",
        _environment(pebble, folder),
        begin=(*base, *ask),
        renew=(*renew, "--force-renewal"),
        pass_by=renew,
        key=live / "privkey.pem",
        chains=(live / "cert.pem", live / "fullchain.pem"),
    )


def lego(pebble: Pebble, folder: Path, webroot: Path) -> Renewer:
    """Return lego."""
    words = ("lego", "--server", pebble.url, "--accept-tos", "--email", MAIL)
    web = ("--path", f"{folder}/state", "--domains", NAME, "--http", "--http.webroot", str(webroot))
    renew = (*words, *web, "renew", "--no-random-sleep")
    held = folder / "state/certificates"
    return Renewer(
        "lego",
        folder / "state",
        _environment(pebble, folder),
        begin=(*words, *web, "run"),
        renew=(*renew, "--days", "99999"),
        pass_by=(*renew, "--days", "30"),
        key=held / f"{NAME}.key",
        chains=(held / f"{NAME}.crt",),
        threads=True,
    )


def _environment(pebble: Pebble, folder: Path) -> Mapping[str, str]:
    folder.mkdir()
    trusted = str(pebble.tls.authority)
    trust = {"REQUESTS_CA_BUNDLE": trusted, "LEGO_CA_CERTIFICATES": trusted}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(folder), **trust}
