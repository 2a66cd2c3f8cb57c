"""certform discover, as it is called: what it lists, what it writes, and that it changes nothing."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import Repository
from keyvault_emulator import KeyVault

from providers.base import OWNER, Content, Hosting, HostingState, Installed, Target, TargetConfig
from providers.memory import MemoryTarget
from providers.memory_store import MemoryStore
from providers.specimens import Specimens
from reconciler.cli.app import run
from reconciler.ledger.records import LedgerState
from reconciler.repository import load
from reconciler.state import Desired
from schemas.certificate import Algorithm
from schemas.request import KeyType

NOW = datetime.now(UTC).replace(microsecond=0)
CLOUDS = """\
kind: Target
metadata: {name: acm}
spec: {aws-acm: {regions: [eu-west-1, us-east-1]}}
---
kind: Target
metadata: {name: vault}
spec: {azure-key-vault: {vault: kv-example}}
"""
ARN = "arn:aws:acm:eu-west-1:111122223333:certificate/{}"
SHOP = Content(
    dns_names=("shop.svc.internal", "*.shop.svc.internal"),
    issuer="C=GB, O=Example Ltd, CN=Old CA",
    key=KeyType(algorithm=Algorithm.RSA, size=2048),
    usages=("server auth", "client auth"),
    not_before=NOW - timedelta(days=10),
)


def found(id_: str = ARN.format(1), content: Content | None = SHOP, name: str = "") -> Installed:
    return Installed(id_, name or id_, {}, "1f", None, NOW + timedelta(days=20), content=content)


class Clouds:
    """The places of a repository, in memory."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root
        self.stores: dict[str, MemoryStore] = {}
        monkeypatch.setattr("reconciler.cli.commands.discover.make_targets", self._made)

    def put(self, place: str, *objects: Installed) -> None:
        for each in objects:
            self.store(place).put_foreign(each)

    def store(self, place: str) -> MemoryStore:
        return self.stores.setdefault(place, MemoryStore())

    def discover(self, *arguments: str | Path) -> int:
        return run(["-C", str(self.root), "discover", *map(str, arguments)])

    def _made(
        self, desired: Desired, ledger: LedgerState, root: Path, *, to_read: bool
    ) -> Mapping[str, Target]:
        assert to_read
        return {
            name: MemoryTarget(
                TargetConfig(name, each.spec, ledger.lineage.owner, root), self.store(name)
            )
            for name, each in desired.targets.items()
        }


@pytest.fixture
def clouds(applied: Repository, monkeypatch: pytest.MonkeyPatch) -> Clouds:
    (applied.root / "config" / "clouds.yaml").write_text(CLOUDS)
    (applied.root / "config" / "policies.yaml").unlink()
    return Clouds(applied.root, monkeypatch)


def test_what_is_not_ours_is_listed_and_nothing_else(
    clouds: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    clouds.put("acm/eu-west-1", found())
    clouds.put("vault", replace(found("https://v/1", name="old"), labels={OWNER: "else_00"}))
    assert clouds.discover() == 0
    heading, eu, vault = capsys.readouterr().out.splitlines()
    assert heading.split() == [
        "WHERE",
        "ID",
        "NAMES",
        "ISSUER",
        "NOT",
        "AFTER",
        "DAYS",
        "KEY",
        "OWNER",
    ]
    assert "shop.svc.internal and 1 more" in eu
    assert "RSA 2048" in eu
    assert vault.endswith("else_00")
    assert all(store.calls.keys() == {"observe"} for store in clouds.stores.values())


def test_a_target_is_named_with_all_its_regions_or_one(clouds: Clouds) -> None:
    clouds.discover("acm")
    assert {n for n, s in clouds.stores.items() if s.calls} == {"acm/eu-west-1", "acm/us-east-1"}
    clouds.stores.clear()
    clouds.discover("acm/us-east-1")
    assert clouds.stores.keys() == {"acm/us-east-1"}
    assert clouds.discover("acn") == 1


def test_what_could_not_be_read_is_no_empty_place(
    clouds: Clouds, capsys: pytest.CaptureFixture[str]
) -> None:
    clouds.store("vault").reachable = False
    assert clouds.discover() == 1
    told = capsys.readouterr().err
    assert "vault could not be read, so there may be more" in told
    assert clouds.discover("--format", "json") == 1
    assert json.loads(capsys.readouterr().out)["unknown"] == [
        {"where": "vault", "detail": "vault cannot be read"}
    ]


def test_what_an_sdk_warns_of_is_not_printed(applied: Repository, tmp_path: Path) -> None:
    with KeyVault.made(tmp_path / "vault") as vault:
        vault.tokens.available = False
        settings = f"{{vault: '{vault.url}', verifyChallengeResource: false}}"
        (applied.root / "config" / "clouds.yaml").write_text(
            f"kind: Target\nmetadata: {{name: vault}}\nspec: {{azure-key-vault: {settings}}}\n"
        )
        (applied.root / "config" / "policies.yaml").unlink()
        told = applied.run("discover", "vault", code=1, **vault.environment())
    assert "no credential gave a token for Azure" in told.stderr
    assert "DefaultAzureCredential" not in told.stderr


def test_json_tells_all(clouds: Clouds, capsys: pytest.CaptureFixture[str]) -> None:
    clouds.put("acm/eu-west-1", found())
    clouds.discover("--format", "json")
    data = json.loads(capsys.readouterr().out)
    (one,) = data["certificates"]
    assert (data["format_version"], data["kind"]) == ("1.0", "discovery")
    assert (one["target"], one["id"], one["days_left"]) == ("acm/eu-west-1", ARN.format(1), 19)
    assert one["usages"] == ["server auth", "client auth"]


def test_text_of_strangers_moves_no_cursor_and_commands_no_runner(
    clouds: Clouds, applied: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    nasty = replace(SHOP, issuer="\x1b[2J::error::", dns_names=("a\nb",))
    clouds.put("acm/eu-west-1", found("::set-output x\x07", nasty))
    owned = replace(found(), labels={OWNER: "else\n::error::\x1b[2J"})
    clouds.put("acm/us-east-1", owned)
    clouds.put("vault", found("https://kv/certificates/x", name="x\n##[error]\x1b"))
    clouds.discover("--write", applied.root / "adopted")
    out, err = capsys.readouterr()
    assert not {"\x1b", "\x07"} & {*out, *err}
    assert len(out.splitlines()) == 4
    assert not [line for line in err.splitlines() if line.startswith("::") or "##[" in line]


def test_what_is_written_is_valid_and_adopts(
    clouds: Clouds, applied: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    clouds.put("vault", found("https://kv/certificates/legacy", name="legacy"))
    assert clouds.discover("vault", "--write", applied.root / "adopted") == 0
    assert "Wrote" in capsys.readouterr().err
    assert "Valid: 2 authorities, 3 certificates" in applied.run("validate").stdout
    made = load(applied.root).certificates["shop-svc-internal"]
    (install,) = made.installs
    assert install.adopt == ("https://kv/certificates/legacy",)
    assert (install.target, install.name) == ("vault", "legacy")
    assert made.request.dns_names == ("*.shop.svc.internal", "shop.svc.internal")
    assert str(made.request.key) == "RSA 2048"
    assert made.request.duration == 30 * 86_400
    assert made.request.issuer == "services"


def test_a_policy_has_to_allow_it(clouds: Clouds, applied: Repository) -> None:
    policy = "kind: Policy\nmetadata: {name: all}\nspec: {selector: {paths: ['**']}, allowed: {}}\n"
    (applied.root / "config" / "policies.yaml").write_text(policy)
    clouds.put("vault", found("https://kv/certificates/a", name="a"))
    clouds.discover("--write", applied.root / "adopted")
    refused = applied.run("validate", code=1).stderr
    assert "adopting is not allowed without `allowed.adopt: true`: policy all" in refused
    (applied.root / "config" / "policies.yaml").write_text(policy.replace("{}", "{adopt: true}"))
    applied.run("validate")


def test_copies_in_several_regions_are_one_document(clouds: Clouds, applied: Repository) -> None:
    for number, region in enumerate(("eu-west-1", "us-east-1")):
        clouds.put(f"acm/{region}", found(ARN.format(number)))
    clouds.discover("acm", "--write", applied.root / "adopted")
    applied.run("validate")
    (made,) = [c for n, c in load(applied.root).certificates.items() if "shop" in n]
    assert {install.adopt for install in made.installs} == {(ARN.format(0), ARN.format(1))}


def test_one_region_of_two_is_told_what_that_means(clouds: Clouds, applied: Repository) -> None:
    clouds.put("acm/eu-west-1", found())
    clouds.discover("acm", "--write", applied.root / "adopted")
    text = (applied.root / "adopted" / "acm.yaml").read_text()
    assert "# it goes to acm/us-east-1 as well, so a new one is issued at once" in text


def test_names_are_told_apart(clouds: Clouds, applied: Repository) -> None:
    same = [found(ARN.format(n)) for n in range(3)]
    clouds.put("acm/eu-west-1", *same)
    clouds.put("vault", found("https://kv/certificates/a", name="a"))
    clouds.discover("--write", applied.root / "adopted")
    applied.run("validate")
    names = [name for name in load(applied.root).certificates if "shop" in name]
    assert names == ["shop-svc-internal", *(f"shop-svc-internal-{n}" for n in (2, 3, 4))]


def test_nothing_is_overwritten(clouds: Clouds, applied: Repository) -> None:
    clouds.put("vault", found("https://kv/certificates/a", name="a"))
    folder = applied.root / "adopted"
    folder.mkdir()
    (folder / "vault.yaml").write_text("mine")
    assert clouds.discover("--write", folder) == 1
    assert (folder / "vault.yaml").read_text() == "mine"


def test_what_cannot_be_adopted_is_counted(
    clouds: Clouds, applied: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    clouds.put(
        "acm/eu-west-1",
        replace(found(ARN.format(1)), hosting=Hosting(HostingState.ACTIVE)),
        replace(found(ARN.format(2)), labels={OWNER: "else_00"}),
        replace(found(ARN.format(3)), not_after=NOW - timedelta(days=1)),
        found(ARN.format(4), Content(dns_names=("not a name",))),
        found("with space", SHOP),
    )
    clouds.put("vault", found("https://kv/certificates/X", name="X_Y"))
    clouds.put("local", found("path", name="path"))
    clouds.discover("--write", applied.root / "adopted")
    told = capsys.readouterr().err
    for why in (
        "its place renews it by itself",
        "it belongs to another certform, else_00",
        "it has expired",
        "it has no name that can be asked for",
        "its identity cannot be written",
        "an object cannot be called X_Y in a document",
        "targets of kind local-directory take nothing over",
    ):
        assert f"Not written, 1: {why}." in told
    assert list((applied.root / "adopted").iterdir()) == []


def test_an_issuer_has_to_be_chosen_where_several_could_be_meant(
    clouds: Clouds, applied: Repository
) -> None:
    (applied.root / "authorities" / "more.yaml").write_text(
        "kind: Authority\nmetadata: {name: other}\nspec: {commonName: Old CA}\n"
    )
    elsewhere = replace(SHOP, issuer="CN=Evil\n  issuerRef: other", dns_names=("a.example.com",))
    clouds.put("vault", found("https://kv/certificates/a", elsewhere, name="a"))
    clouds.discover("--write", applied.root / "adopted")
    text = (applied.root / "adopted" / "vault.yaml").read_text()
    assert "# choose an issuer: the present one is CN=Evil\\n  issuerRef: other\n" in text
    assert "issuerRef" in applied.run("validate", code=1).stderr


def test_an_issuer_is_known_by_its_common_name(clouds: Clouds, applied: Repository) -> None:
    common = load(applied.root).authorities["root"].request.common_name
    (applied.root / "authorities" / "more.yaml").write_text(
        "kind: Authority\nmetadata: {name: other}\nspec: {commonName: Old CA}\n"
    )
    clouds.put("vault", found("i", replace(SHOP, issuer=f"CN={common}, O=x"), name="a"))
    clouds.discover("--write", applied.root / "adopted")
    assert "issuerRef: root\n" in (applied.root / "adopted" / "vault.yaml").read_text()


def test_what_nobody_should_ask_for_again_is_a_remark(clouds: Clouds, applied: Repository) -> None:
    weak = replace(
        SHOP,
        key=KeyType(algorithm=Algorithm.RSA, size=1024),
        not_before=NOW - timedelta(days=9_000),
        usages=("server auth", "smart card logon"),
    )
    clouds.put("vault", found("https://kv/certificates/a", weak, name="a"))
    clouds.discover("--write", applied.root / "adopted")
    text = (applied.root / "adopted" / "vault.yaml").read_text()
    assert "# the present key is RSA 1024, which is not asked for any more" in text
    assert "longer than services" in text
    assert "smart card" not in text
    applied.run("validate")


def test_a_directory_is_looked_at_alone_and_by_itself(applied: Repository, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    bundle = Specimens.make(NOW).bundle("www.example.com", NOW)
    (tmp_path / "old" / "cert.pem").write_bytes(bundle.certificate)
    done = applied.run("discover", "--directory", tmp_path / "old")
    assert "cert.pem  www.example.com  Specimen CA" in done.stdout
    done = applied.run("discover", "--endpoint", "127.0.0.1:1", code=1)
    assert "127.0.0.1:1 could not be read" in done.stderr
    assert "host and a port" in applied.run("discover", "--endpoint", "x", code=1).stderr
    assert "Nothing was found" in applied.run("discover").stderr
