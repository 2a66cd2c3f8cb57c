"""A whole repository whose CA answers: killed anywhere it goes on, and OpenSSL agrees with the ledger."""

import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import judge
import pytest
from answers import Asker
from mint import Authority
from rig import Repository, Runner, Workshop

from providers import x509
from providers.signer import KeySigner
from reconciler.ledger.records import Issuance, LedgerState, Status

POINTS = (
    *("ocsp.reserved", "ocsp.delegated", "ocsp.shown"),
    *("tree.write", "tree.switch", "tree.sweep"),
)
TREE = "ocsp/issuing-g1"


@pytest.fixture(scope="module")
def asked(workshop: Workshop, changed: Repository) -> Repository:
    """A repository where a CA is to answer, one certificate to be revoked, and another one replaced."""
    copy = changed.kept(workshop.folder / "asked")
    documents = copy.root / "authorities/ca.yaml"
    text = documents.read_text()
    documents.write_text(text.replace("Fault Issuing,", "Fault Issuing, ocsp: {},"))
    return copy


def published(repository: Repository) -> dict[str, bytes]:
    """What a web server finds, nothing where nothing is shown."""
    root = judge.live_of(repository.root) / "pki" / TREE
    found = [path for path in root.rglob("*") if path.is_file()]
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def issued(state: LedgerState) -> Iterator[Issuance]:
    for record in state.certificates.values():
        yield from (i for i in record.issuances if i.status in (Status.ISSUED, Status.REVOKED))


def test_a_run_that_is_killed_at_any_step_is_gone_on_with(
    workshop: Workshop, asked: Repository
) -> None:
    def trial(runner: Runner, repository: Repository, point: str) -> list[str]:
        killed = runner.apply(repository, CERTFORM_FAILPOINT=f"{point}:1:kill")
        wrong = [] if killed.status == -signal.SIGKILL else [f"ended with {killed.status}"]
        state, seen = judge.ledger(repository.root), published(repository)
        known = sum(1 for _ in issued(state))
        if len(seen) not in (0, known):
            wrong.append(f"{len(seen)} of {known} responses are shown")
        again = runner.apply(repository)
        if again.status != 0:
            return [*wrong, f"the next apply ended with {again.status}: {again.err}"]
        plan = runner.run(repository, "plan", "--detailed-exitcode")
        wrong += [] if plan.status == 0 else [f"the plan is not empty: {plan.out}"]
        responders = judge.ledger(repository.root).ocsp["issuing", 1].responders
        signed = sum(each.sha256 is not None for each in responders)
        if not 1 <= signed <= len(responders) <= 2:
            wrong.append(f"{signed} of {len(responders)} responders were signed")
        if len(published(repository)) != sum(1 for _ in issued(judge.ledger(repository.root))):
            wrong.append("not every certificate has a response")
        return [f"{point}: {each}" for each in (*wrong, *judge.keys_in(repository.temporary))]

    assert list(itertools.chain(*workshop.sweep(asked, POINTS, trial))) == []


def test_openssl_agrees_with_the_ledger_about_every_certificate(
    workshop: Workshop, asked: Repository, tmp_path: Path
) -> None:
    with asked.copied(tmp_path / "copy") as repository:
        ended = workshop.runner.apply(repository)
        assert ended.status == 0, ended.err
        state = judge.ledger(repository.root)
        asker, known = Asker(tmp_path, issuing(state)), {}
        program = [sys.executable, "-m", "reconciler", "--chdir", str(repository.root), "serve"]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as serving:
            assert serving.stdout is not None
            url = serving.stdout.readline().strip()
            for issuance in issued(state):
                told = asker.openssl_at(der(issuance), url)
                status = "revoked" if issuance.revoked else "good"
                known[issuance.serial] = (status, "Response verify OK" in told)
                assert f"leaf.pem: {status}" in told, told
            of_the_root = state.authorities["issuing"].issuances[0]
            assert "unauthorized" in asker.openssl_at(der(of_the_root), url)
            serving.send_signal(signal.SIGINT)
            assert serving.wait(20) == 0
    assert sorted(known.values()) == [("good", True)] * 4 + [("revoked", True)]


def issuing(state: LedgerState) -> Authority:
    line = [der(state.authorities[name].issuances[0]) for name in ("issuing", "root")]
    return Authority(line[0], (line[1],), cast("KeySigner", None), "issuing")


def der(issuance: Issuance) -> bytes:
    return x509.to_der((issuance.certificate or "").encode())
