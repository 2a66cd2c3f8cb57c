"""The lock of the ledger while an issuer waits for its CA."""

import pytest
from fleet import Fleet
from fleet_documents import Leaf
from memory_ledger import MemoryJournal

from providers.issuing import Issued, IssueRequest, Pending
from providers.memory_issuer import MemoryIssuer
from reconciler.apply import session
from schemas.issuer import AwsPrivateCa, IssuerSpec

ARN = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"


def test_an_order_that_is_still_worked_on_keeps_the_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[str] = []
    seen: list[int] = []

    class Slow(MemoryIssuer):
        def issue(self, request: IssueRequest, /) -> Issued | Pending:
            for _ in range(3):
                request.checkpoint(request.token)
                seen.append(len(kept))
            return super().issue(request)

    monkeypatch.setattr(session, "RENEW_AFTER", -1.0)
    monkeypatch.setattr(MemoryJournal, "renew", lambda _: kept.append("kept"))
    theirs = IssuerSpec(aws_private_ca=AwsPrivateCa(arn=ARN))
    fleet = Fleet(leaves={"web": Leaf(issuer="theirs")}, issuers={"theirs": theirs})
    monkeypatch.setattr(fleet, "ask", lambda config: Slow(fleet.desk(config.name)))
    fleet.converge()
    assert seen == [seen[0], seen[0] + 1, seen[0] + 2]
    assert fleet.current("web").order
