"""Every keeper of CA keys keeps the contract; a Vault with the policy of the page and no other right."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bao import Bao
from cryptography import x509 as pyca

from providers import x509
from providers.errors import Denied, ProviderError
from providers.keeping import Keeper, KeeperConfig
from providers.memory_keeper import MemoryKeeper, Safe
from providers.registry import make_keeper
from providers.signer import KeySigner, PrivateKey
from providers.vault.keeper import VaultKeeper
from providers.x509.signing_request import requested_key
from schemas.certificate import Algorithm
from schemas.custody import MountedKey
from schemas.request import AuthorityRequest, KeyType
from schemas.vault import VaultConnection

PAGE = Path(__file__).parents[2] / "docs/authorities.md"
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)
KINDS = (
    P256,
    KeyType(algorithm=Algorithm.ECDSA, size=384),
    KeyType(algorithm=Algorithm.ECDSA, size=521),
    KeyType(algorithm=Algorithm.RSA, size=2048),
)
DAY = 86_400


def policy(mount: str) -> str:
    """What the page says that a token needs at a mount."""
    blocks = re.findall(r"```hcl\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (found,) = [block for block in blocks if block.startswith(f'path "{mount}/')]
    return str(found)


def asked(name: str, key: KeyType, issuer: str | None = None) -> AuthorityRequest:
    """What a CA is to say."""
    return AuthorityRequest(
        issuer=issuer,
        issuer_generation=1 if issuer else None,
        generation=1,
        common_name=name,
        key=key,
        duration=100 * DAY,
    )


class Root:
    """A root of ours that signs what keepers ask for."""

    def __init__(self) -> None:
        self.key: PrivateKey = x509.generate_key(P256)
        self.der = self._sign(asked("Own Root", P256), None, self.key)

    def sign(self, csr: bytes, name: str = "Example CA") -> bytes:
        """Sign a CA below, with the key of a request."""
        request = asked(name, requested_key(csr)[0], "root")
        issuer = x509.IssuingAuthority.load(self.der)
        return self._sign(request, issuer, requested_key(csr)[1])

    def _sign(
        self,
        request: AuthorityRequest,
        issuer: x509.IssuingAuthority | None,
        key: PrivateKey | bytes,
    ) -> bytes:
        start, end = x509.validity(datetime.now(UTC), request.duration)
        if issuer is not None:
            start, end = max(start, issuer.not_before), min(end, issuer.not_after)
        spki = key if isinstance(key, bytes) else x509.spki(key.public_key())
        tbs = x509.ToBeSigned(request, x509.new_serial(), start, end, spki)
        return x509.sign(tbs, issuer, KeySigner(self.key))


@pytest.fixture(scope="module")
def root() -> Root:
    return Root()


class KeeperConformance:
    @pytest.fixture
    def keeper(self) -> Keeper:
        raise NotImplementedError

    @pytest.mark.parametrize("kind", KINDS, ids=str)
    def test_a_request_is_of_a_key_of_the_kind(self, keeper: Keeper, kind: KeyType) -> None:
        csr = keeper.request(f"own-{kind}".replace(" ", "-").lower(), kind, "Example CA")
        assert requested_key(csr)[0] == kind

    def test_the_same_name_is_the_same_key(self, keeper: Keeper) -> None:
        first, again = (keeper.request("own-same", P256, "Example CA") for _ in range(2))
        assert requested_key(first) == requested_key(again)
        other = keeper.request("own-other", P256, "Example CA")
        assert requested_key(other) != requested_key(first)

    def test_what_is_handed_over_twice_is_there(self, keeper: Keeper, root: Root) -> None:
        signed = root.sign(keeper.request("own-twice", P256, "Example CA"))
        keeper.install(signed, (root.der,))
        keeper.install(signed, (root.der,))

    def test_a_renewal_takes_the_place_of_what_was_there(self, keeper: Keeper, root: Root) -> None:
        csr = keeper.request("own-renewed", P256, "Example CA")
        for _ in range(2):
            keeper.install(root.sign(csr), (root.der,))

    def test_a_certificate_of_another_key_is_not_taken(self, keeper: Keeper, root: Root) -> None:
        keeper.request("own-mine", P256, "Example CA")
        elsewhere = MemoryKeeper(Safe()).request("own-mine", P256, "Example CA")
        with pytest.raises(ProviderError):
            keeper.install(root.sign(elsewhere, "Stranger"), (root.der,))


class TestMemory(KeeperConformance):
    @pytest.fixture
    def keeper(self) -> Keeper:
        return MemoryKeeper(Safe())


@pytest.fixture(scope="module")
def bao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with Bao.running(tmp_path_factory.mktemp("bao")) as server:
        server.write("sys/mounts/inside", {"type": "pki", "config": {"max_lease_ttl": "87600h"}})
        server.policy("keeper", policy("inside"))
        yield server


class TestVault(KeeperConformance):
    @pytest.fixture
    def keeper(self, bao: Bao, monkeypatch: pytest.MonkeyPatch) -> Keeper:
        monkeypatch.setenv("VAULT_TOKEN", bao.token("keeper"))
        connection = VaultConnection(server=bao.url, path="inside")
        return make_keeper(KeeperConfig(MountedKey(vault=connection)))

    def test_it_is_made_of_a_document_and_asks_nobody(self) -> None:
        connection = VaultConnection(server="https://localhost:1")
        made = make_keeper(KeeperConfig(MountedKey(vault=connection)))
        assert isinstance(made, VaultKeeper)

    def test_what_was_handed_over_last_is_what_vault_signs_under(
        self, keeper: Keeper, root: Root, bao: Bao
    ) -> None:
        for name in ("first", "last", "first"):
            signed = root.sign(keeper.request(f"own-{name}", P256, name), name)
            keeper.install(signed, (root.der,))
            held = bao.read("inside/cert/ca")["certificate"]
            assert pyca.load_pem_x509_certificate(held.encode()) == x509.facts(signed).certificate
            chain = bao.read("inside/issuer/default")["ca_chain"]
            assert len(chain) == 2, "with our root above it"

    def test_the_key_never_leaves_vault(self, keeper: Keeper, bao: Bao) -> None:
        keeper.request("own-kept", P256, "Example CA")
        keys = bao.ask("LIST", "inside/keys")["data"]["key_info"]
        (id_,) = [key for key, told in keys.items() if told["key_name"] == "own-kept"]
        assert "private_key" not in bao.read(f"inside/key/{id_}")

    def test_what_the_policy_lacks_is_named(
        self, bao: Bao, root: Root, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        bao.policy("less", policy("inside").replace("set-signed", "set-nothing"))
        monkeypatch.setenv("VAULT_TOKEN", bao.token("less"))
        connection = VaultConnection(server=bao.url, path="inside")
        keeper = make_keeper(KeeperConfig(MountedKey(vault=connection)))
        signed = root.sign(keeper.request("own-less", P256, "Example CA"))
        with pytest.raises(Denied, match=r'path "inside/intermediate/set-signed"'):
            keeper.install(signed, (root.der,))
