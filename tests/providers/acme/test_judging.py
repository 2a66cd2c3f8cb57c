"""What a CA says of names while it judges them, and of names that nobody asked for."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import acme_ca_rig
import pytest
from acme.challenges import HTTP01
from acme_ca_rig import Buyer
from acme_front import Front, purpose
from wire import Request, Response, Way

from providers.acme.accounts import read_key
from providers.errors import Rejected
from providers.issuing import Pending
from providers.secret import Secret
from schemas.secrets import SecretReference


def _parent(front: Front, status: str) -> dict[str, Any]:
    """Return the authorization of a domain above the one that is ordered (RFC 9444)."""
    url = f"{front.wire.url}/authZ/parent"
    challenge = {"type": "http-01", "url": url, "token": "A" * 43, "status": status}
    name = {"type": "dns", "value": "example.com"}
    return {"identifier": name, "status": status, "challenges": [challenge]}


def _with_parent(front: Front, status: str) -> None:
    """Let orders have one authorization more, of the domain above."""
    parent = Response(200, json.dumps(_parent(front, status)).encode())

    def instead(request: Request) -> Response | None:
        if request.path == "/authZ/parent":
            return parent
        if purpose(request) not in ("newOrder", "order"):
            return None
        answer = front.passed(request)
        said = json.loads(answer.body)
        said["authorizations"].append(f"{front.wire.url}/authZ/parent")
        return replace(answer, body=json.dumps(said).encode())

    front.instead = instead


def test_a_domain_above_that_is_proved_already_is_no_objection(front: Front, buyer: Buyer) -> None:
    _with_parent(front, "valid")
    buyer.buy(acme_ca_rig.issuer(front), "below.example.com")
    _with_parent(front, "pending")
    with pytest.raises(Rejected, match="that was not asked for"):
        acme_ca_rig.issuer(front).issue(buyer.ask("other.example.com"))


def test_what_proved_a_name_that_was_not_asked_for_is_not_looked_for(
    front: Front, buyer: Buyer, tmp_path: Path
) -> None:
    """An order that is taken up again: only what was presented for its own names is taken away."""
    pem = acme_ca_rig.pem_key()
    keyring = acme_ca_rig.Keyring({"account": pem})
    request = buyer.ask("again.example.com")
    acme_ca_rig.bought(acme_ca_rig.issuer(front, keyring), request)
    _with_parent(front, "valid")
    there = tmp_path / ".well-known/acme-challenge" / ("A" * 43)
    there.parent.mkdir(parents=True)
    key = read_key(Secret(pem), SecretReference(name="a", key="account")).key
    there.write_text(HTTP01(token=bytes(32)).key_authorization(key))
    solver = {"http01": {"webroot": {"path": str(tmp_path)}}}
    issuer = acme_ca_rig.issuer(front, keyring, solvers=(solver,))
    acme_ca_rig.bought(issuer, replace(request, resume=buyer.noted[-1]))
    assert there.exists()


@pytest.mark.parametrize("way", [Way.DROPPED, Way.UNANSWERED])
def test_a_ca_that_was_not_told_to_look_is_told_once_more(
    front: Front, buyer: Buyer, way: Way
) -> None:
    issuer = acme_ca_rig.issuer(front)
    front.wire.fail("challenge", way)
    buyer.buy(issuer, f"{way.name.lower()}.example.com")
    assert front.wire.counts["challenge"] == 2
    front.wire.fail("challenge", Way.DROPPED, times=2)
    issuer.patience = 0.0
    assert isinstance(issuer.issue(buyer.ask("never.example.com")), Pending)
    assert front.wire.counts["challenge"] == 4
