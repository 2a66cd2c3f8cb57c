"""Keystores in plans and applies: what is wanted, what an edit of a password takes, and who opens it when."""

import json
from dataclasses import dataclass, field, replace
from typing import cast

from fleet import Fleet
from fleet_documents import HERE, Leaf, at
from fleet_sights import shown
from memory_ledger import ClearCipher

from providers.errors import Denied
from providers.secret import Secret
from providers.sops.binary import Sops
from reconciler.apply import Session
from reconciler.events import EventStatus
from reconciler.keystores import DesiredKeystore
from reconciler.state import Desired
from schemas.base import digest
from schemas.certificate import Custody
from schemas.plan import Action, Reason
from schemas.secrets import SecretReference

WHERE = SecretReference(name="secrets/k.sops.yaml", key="web")


class Opener(ClearCipher):
    """Opens a value of a file, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.shut = False

    def value(self, ciphertext: bytes, name: str, key: str, /) -> Secret:
        self.asked.append(key)
        if self.shut:
            raise Denied(f"no key at hand opens {name}")
        return Secret(json.loads(ciphertext)[key].encode())


@dataclass
class KeystoreFleet(Fleet):
    """A fleet whose certificates want a PKCS#12 keystore in target `a`; no password, none is wanted."""

    password: str = "test-password-1"
    opener: Opener = field(default_factory=Opener)

    def desired(self) -> Desired:
        desired = super().desired()
        certificates = {
            name: replace(
                each,
                installs=tuple(
                    replace(i, keystores=self.keystores() if i.target == "a" else ())
                    for i in each.installs
                ),
            )
            for name, each in desired.certificates.items()
        }
        return replace(desired, certificates=certificates)

    def keystores(self) -> tuple[DesiredKeystore, ...]:
        if not self.password:
            return ()
        sealed = json.dumps({WHERE.key: self.password}).encode()
        told = digest(f"ciphertext of {self.password}")
        return (DesiredKeystore("pkcs12", "certificate", "Modern2023", WHERE, told, sealed),)

    def session(self) -> Session:
        return replace(super().session(), sops=cast("Sops", self.opener))


def fleet(**leaf: object) -> KeystoreFleet:
    return KeystoreFleet(leaves={"web": replace(Leaf(targets=at("a", "b")), **leaf)})  # type: ignore[arg-type]


def wanted(of: KeystoreFleet) -> str:
    return of.desired().certificates["web"].installs[0].keystores_digest


def test_what_was_installed_with_keystores_is_as_it_should_be() -> None:
    made = fleet()
    made.converge()
    assert made.installed("a", "web").keystores == wanted(made) != ""
    assert made.installed("b", "web").keystores == ""


def test_a_plan_opens_no_password() -> None:
    made = fleet()
    plan = made.plan()
    assert made.opener.asked == []
    assert made.password not in plan.model_dump_json()


def test_many_keystores_with_one_password_take_one_opening() -> None:
    made = KeystoreFleet(leaves={f"web{n}": Leaf(targets=at("a")) for n in range(5)})
    made.converge()
    assert made.opener.asked == ["web"]


def test_another_password_takes_the_key_and_where_that_is_erased_a_new_certificate() -> None:
    made = fleet()
    made.converge()
    old = made.current("web").serial
    made.password = "test-password-2"
    plan = made.plan()
    assert ("issue", "certificate/web", "KeyUnavailable") in shown(plan)
    (issue,) = (c for c in plan.changes if c.action is Action.ISSUE)
    assert "keystores are not those wanted, or have another password" in issue.message
    assert not issue.due
    assert not issue.outside
    made.converge()
    assert made.current("web").serial != old
    assert made.installed("a", "web").keystores == wanted(made)


def test_where_the_ledger_keeps_the_key_another_password_is_an_install_and_needs_review() -> None:
    made = fleet(custody=Custody.LEDGER)
    made.converge()
    serial = made.current("web").serial
    made.password = "test-password-2"
    (install,) = made.plan().changes
    assert (install.action, install.address) == (Action.INSTALL, "certificate/web@a")
    assert install.reason is Reason.DRIFTED
    assert not install.due
    made.converge()
    assert made.current("web").serial == serial


def test_two_different_passwords_are_two_different_changes_to_review() -> None:
    made = fleet()
    made.converge()
    prints = []
    for password in ("test-password-2", "test-password-3"):
        made.password = password
        prints.append({c.fingerprint for c in made.plan().changes if c.action is Action.ISSUE})
    assert prints[0].isdisjoint(prints[1])


def test_keystores_that_are_wanted_no_longer_go() -> None:
    made = fleet(custody=Custody.LEDGER)
    made.converge()
    made.password = ""
    made.converge()
    assert made.installed("a", "web").keystores == ""


def test_a_renewal_brings_no_keystore_that_nobody_reviewed() -> None:
    made = fleet()
    made.converge()
    made.base = made.desired()
    made.wait(25)
    assert all(change.due for change in made.plan().changes if change.action is Action.INSTALL)
    made.password = "test-password-2"
    due = {c.address: c.due for c in made.plan().changes if c.action is Action.INSTALL}
    assert due == {"certificate/web@a": False, "certificate/web@b": True}


def test_a_password_that_nobody_here_opens_stops_that_install_alone_and_the_next_run_goes_on() -> (
    None
):
    made = fleet()
    made.opener.shut = True
    ended = {e.address: e for e in made.apply() if e.action is Action.INSTALL}
    failed = ended["certificate/web@a"]
    assert failed.status is EventStatus.FAILED
    assert "no key at hand opens secrets/k.sops.yaml" in failed.message
    assert ended["certificate/web@b"].status is EventStatus.DONE
    serial = made.current("web").serial
    assert made.kept_keys() == {serial: "web"}
    made.opener.shut = False
    made.converge()
    assert made.current("web").serial == serial


def test_what_is_wanted_shows_no_ciphertext_and_no_password() -> None:
    made = fleet()
    (install, _) = made.desired().certificates["web"].installs
    assert made.password not in repr(install)
    assert HERE.file not in repr(install)
