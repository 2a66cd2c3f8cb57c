"""A writer in a process of its own: `writer.py REPOSITORY SETTINGS NAME WAVES stop|hang`."""

import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.ledger.contract import Wave
from reconciler.ledger.journal import Access, LedgerJournal, open_journal
from reconciler.ledger.lock import Patience
from reconciler.ledger.records import CertificateRecord, Issuance
from schemas.project import LedgerSettings


def record(template: Issuance, serial: str, bundle: str | None) -> CertificateRecord:
    issuance = template.model_copy(update={"serial": serial, "bundle": bundle})
    return CertificateRecord(name=f"web-{serial}", issuances=(issuance,))


def write_waves(journal: LedgerJournal, name: str, waves: int, template: Issuance) -> None:
    """Reserve a key in every wave, and erase the key of the wave before."""
    for n in range(waves):
        serial, former = f"{name}{n:x}", f"{name}{n - 1:x}"
        done = [record(template, former, None)] if n else []
        journal.write(
            Wave(
                f"wave {serial}",
                certificates=[record(template, serial, name), *done],
                bundle=name,
                new_keys={serial: Secret(f"key of {serial}".encode())},
                erase=frozenset({former}) if n else frozenset(),
            )
        )


def main() -> None:
    repository, settings, name, waves, action = sys.argv[1:]
    template = Issuance.model_validate_json(sys.stdin.read())
    patience = Patience(timeout=120, poll=0.02, ttl=300)
    parsed = LedgerSettings.model_validate_json(settings)
    access = Access(Sops(), lambda: datetime.now(UTC), patience)
    with open_journal(Path(repository), parsed, access) as journal:
        write_waves(journal, name, int(waves), template)
        if action == "hang":
            sys.stdout.write("holding\n")
            sys.stdout.flush()
            signal.pause()


if __name__ == "__main__":
    main()
