"""Certificates of a real OpenBao, ordered by the real engine: answers are lost, runs die, the server lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bao import Bao
from bao_line import Line
from fleet import Fleet
from fleet_documents import Leaf
from vault_orders import issuer
from wire import Way, Wire

from providers.issuing import Issuer, IssuerConfig
from reconciler.events import EventStatus
from schemas.issuer import IssuerSpec
from schemas.vault import Vault

NAME, ORDERS = "www", "reconciler.apply.order_records"
MINUTE = timedelta(minutes=1)


@dataclass
class VaultFleet(Fleet):
    """A fleet whose one certificate is of a role of Vault."""

    server: str = ""
    token: str = ""

    @classmethod
    def of(cls, bao: Bao, wire: Wire) -> "VaultFleet":
        made = cls(
            leaves={NAME: Leaf(issuer="theirs")},
            now=datetime.now(UTC).replace(microsecond=0),
            server=wire.url,
            token=bao.root,
        )
        made.issuers = {"theirs": IssuerSpec(vault=Vault(server=wire.url, role="web"))}
        return made

    def ask(self, _config: IssuerConfig) -> Issuer:
        return issuer(self.server, self.token, patience=0.0)

    def failure(self) -> str:
        """Apply, and return why the certificate was not issued."""
        (failed,) = [e for e in self.apply() if e.status is EventStatus.FAILED]
        assert not list(self.ours())
        return failed.message


@dataclass
class Scene:
    bao: Bao
    line: Line
    wire: Wire
    fleet: VaultFleet

    @property
    def signed(self) -> int:
        """How many certificates Vault has signed, its root apart."""
        return len(self.bao.issued()) - 1


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with Bao.running(tmp_path / "bao") as bao:
        bao.mount_pki()
        with Line.to(bao) as (line, wire):
            yield Scene(bao, line, wire, VaultFleet.of(bao, wire))


def test_a_certificate_is_issued_installed_renewed_and_removed(scene: Scene) -> None:
    scene.fleet.converge()
    assert scene.signed == 1
    scene.fleet.edit(NAME, names=("api.example.com", "www.example.com")).converge()
    assert scene.signed == 2
    del scene.fleet.leaves[NAME]
    scene.fleet.converge()
    assert not list(scene.fleet.ours())


@pytest.mark.parametrize(
    ("way", "surplus"), [(Way.UNANSWERED, 1), (Way.MISANSWERED, 1), (Way.DROPPED, 0)]
)
def test_an_answer_that_is_lost_costs_one_certificate_at_most(
    scene: Scene, way: Way, surplus: int
) -> None:
    scene.wire.fail("sign", way)
    assert scene.wire.url in scene.fleet.failure()
    assert scene.wire.counts["sign"] == 1, "what may have happened is not tried again"
    scene.fleet.converge()
    assert scene.signed == 1 + surplus


@pytest.mark.parametrize(
    ("point", "surplus"),
    [("vault.signed", 1), ("vault.noted", 0), ("orders.noted", 0), ("orders.answered", 0)],
)
def test_a_run_that_dies_costs_one_certificate_where_the_serial_is_not_known_and_else_none(
    scene: Scene, point: str, surplus: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        for module in ("providers.vault.issuer", "reconciler.apply.orders", ORDERS):
            patched.setattr(f"{module}.reach", _dying(point))
        with pytest.raises(Died):
            scene.fleet.apply()
    scene.fleet.converge()
    assert scene.signed == 1 + surplus


class Died(BaseException):
    """The run is over."""


def _dying(at: str) -> Callable[[str], None]:
    def reach(point: str) -> None:
        if point == at:
            raise Died

    return reach


def _another_key(scene: Scene) -> Callable[..., object]:
    told = scene.bao.write("pki/issue/web", {"alt_names": "www.example.com", "key_type": "ec"})[
        "data"
    ]
    return lambda answer, _: answer.update(certificate=told["certificate"])


def _a_ca(scene: Scene) -> Callable[..., object]:
    def sign(answer: dict[str, Any], asked: dict[str, Any]) -> None:
        wanted = {"csr": asked["csr"], "ttl": "24h", "use_csr_values": False}
        signed = {**wanted, "alt_names": "www.example.com", "exclude_cn_from_sans": True}
        told = scene.bao.write("pki/root/sign-intermediate", signed)
        answer.update(certificate=told["data"]["certificate"])

    return sign


def _another_name(scene: Scene) -> Callable[..., object]:
    scene.bao.role(name="lax", allow_any_name=True, use_csr_sans=False)

    def sign(answer: dict[str, Any], asked: dict[str, Any]) -> None:
        wanted = {"csr": asked["csr"], "alt_names": "www.example.com,bank.example.org"}
        told = scene.bao.write("pki/sign/lax", wanted)
        answer.update(certificate=told["data"]["certificate"])

    return sign


def _a_longer_life(scene: Scene) -> Callable[..., object]:
    scene.bao.role(name="lax", max_ttl="8000h")

    def sign(answer: dict[str, Any], asked: dict[str, Any]) -> None:
        told = scene.bao.write("pki/sign/lax", {**asked, "ttl": "7000h"})
        answer.update(certificate=told["data"]["certificate"])

    return sign


def _another_ca_above(scene: Scene) -> Callable[..., object]:
    root = scene.bao.mount_pki("other")
    return lambda answer, _: answer.update(issuing_ca=root, ca_chain=[root])


def _rubbish(_: Scene) -> Callable[..., object]:
    pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
    return lambda answer, _: answer.update(certificate=pem)


def _nothing(_: Scene) -> Callable[..., object]:
    return lambda answer, _: answer.clear()


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (_another_key, "its key is not that of the signing request"),
        (_a_ca, "it is a CA"),
        (_another_name, "it has the DNS name bank.example.org"),
        (_a_longer_life, "it lives longer than asked for"),
        (_another_ca_above, "no issuer came with it"),
        (_rubbish, "cannot be read as a certificate"),
        (_nothing, "cannot be read as a certificate"),
    ],
)
def test_what_is_not_what_was_asked_for_is_never_installed(
    scene: Scene, lie: Callable[[Scene], Callable[..., object]], words: str
) -> None:
    scene.line.changes["sign"] = lie(scene)
    assert words in scene.fleet.failure()
    scene.line.changes.clear()
    scene.fleet.now += MINUTE
    scene.fleet.converge()


def test_what_a_role_leaves_out_is_given_up_and_ordered_again_once_it_is_put_right(
    scene: Scene,
) -> None:
    scene.bao.role(server_flag=False)
    assert "set server_flag=true in pki/roles/web" in scene.fleet.failure()
    scene.fleet.apply()
    assert scene.signed == 1, "whoever refuses is not asked for one useless certificate a run"
    scene.bao.role()
    scene.fleet.now += MINUTE
    scene.fleet.converge()
    assert scene.signed == 2


def test_a_server_that_is_down_keeps_nothing_else_back(scene: Scene) -> None:
    scene.fleet.leaves |= {f"n{n}": Leaf(issuer="theirs") for n in range(3)}
    scene.fleet.leaves["ours"] = Leaf()
    scene.bao.seal()
    events = scene.fleet.apply()
    failed = [e for e in events if e.status is EventStatus.FAILED]
    assert all("is sealed" in e.message for e in failed)
    assert scene.wire.counts["sign"] == 1, "who is sealed is not asked again and again"
    assert scene.fleet.current("ours")
    scene.bao.unseal()
    scene.fleet.converge()
    assert scene.signed == 4
