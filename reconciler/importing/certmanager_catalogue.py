"""Manifests by what refers to them: which CA of ours, or which Issuer, an issuerRef means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from reconciler.importing.certmanager_fields import CERTIFICATE, ISSUER
from reconciler.importing.naming import Names, plain
from reconciler.importing.sources import YamlWords
from reconciler.importing.survey import Survey
from reconciler.load.yaml import Value
from schemas.issuer import ACME, VAULT, IssuerCapabilities

GROUP = "cert-manager.io"
_ANY = IssuerCapabilities()


@dataclass(frozen=True, slots=True, eq=False)
class Manifest:
    """One document of cert-manager; a ClusterIssuer has no namespace."""

    kind: str
    name: str
    namespace: str
    words: YamlWords

    def spec(self, *path: str) -> Value:
        """Return what stands at a path of its spec."""
        node: Value = dict(self.words.data)
        for step in ("spec", *path):
            node = node.get(step) if isinstance(node, dict) else None
        return node

    @property
    def is_ca(self) -> bool:
        """Whether it asks for a CA's certificate."""
        return self.kind == "Certificate" and self.spec("isCA") == "true"


@dataclass(frozen=True, slots=True)
class Issuing:
    """Who signs: `name` is ours, None where there is nobody; `by_itself` tells of what signs itself."""

    name: str | None
    said: str
    capabilities: IssuerCapabilities = _ANY
    by_itself: bool = False
    guessed: bool = False


def group_of(data: Mapping[str, Value]) -> str:
    """Return the group of a document's apiVersion."""
    version = data.get("apiVersion")
    return version.partition("/")[0] if isinstance(version, str) and "/" in version else ""


class Catalogue:
    """The manifests of one import, each with the name that it has with us."""

    def __init__(self, manifests: Iterable[Manifest], names: Names) -> None:
        self._issuers: dict[tuple[str, str, str], Manifest] = {}
        self._authorities: dict[tuple[str, str], Manifest] = {}
        self._names: dict[int, str] = {}
        used: set[tuple[str, str]] = set()
        for each in manifests:
            kind = "Authority" if each.is_ca or each.kind != "Certificate" else "Certificate"
            if each.kind != "Certificate":
                self._issuers.setdefault(_key(each.kind, each.namespace, each.name), each)
            elif each.is_ca and isinstance(secret := each.spec("secretName"), str):
                self._authorities.setdefault((each.namespace, secret), each)
            if self.makes_nothing(each):
                continue
            again = (kind, plain(each.name)) in used and each.namespace
            wish = f"{each.name}-{each.namespace}" if again else each.name
            used.add((kind, plain(each.name)))
            self._names[id(each)] = names.free(kind, wish)

    @staticmethod
    def makes_nothing(manifest: Manifest) -> bool:
        """Whether no document of ours comes of it: it only points to a CA, or is of no kind here."""
        return manifest.kind != "Certificate" and not (
            manifest.spec("acme") or manifest.spec("vault")
        )

    def name(self, manifest: Manifest) -> str:
        """Return what a manifest is called with us."""
        return self._names.get(id(manifest), plain(manifest.name))

    @staticmethod
    def survey(manifest: Manifest) -> Survey:
        """Return a manifest ready to be read."""
        return Survey(manifest.words, CERTIFICATE if manifest.kind == "Certificate" else ISSUER)

    def authority(self, issuer: Manifest) -> str | None:
        """Return the CA of ours whose key an Issuer of kind `ca` signs with."""
        secret = issuer.spec("ca", "secretName")
        if not isinstance(secret, str):
            return None
        found = self._authorities.get((issuer.namespace, secret))
        if found is None and issuer.kind == "ClusterIssuer":
            same = [a for (_, name), a in self._authorities.items() if name == secret]
            found = same[0] if len(same) == 1 else None
        return self.name(found) if found else None

    def issuing(self, certificate: Manifest) -> Issuing:
        """Return who signs a certificate."""
        name, kind = certificate.spec("issuerRef", "name"), certificate.spec("issuerRef", "kind")
        group = certificate.spec("issuerRef", "group")
        if not isinstance(name, str):
            return Issuing(None, "it names no issuer: choose one")
        if isinstance(group, str) and group != GROUP:
            said = f"{str(kind)[:60]} is of {group[:60]}: write an Issuer, such as one of kind aws-private-ca"
            return Issuing(plain(name), f"{said}, called {plain(name)}", guessed=True)
        found = self._issuers.get(_key(str(kind or "Issuer"), certificate.namespace, name))
        if found is None:
            said = f"not among what was read: there has to be an Issuer or Authority {plain(name)}"
            return Issuing(plain(name), said, guessed=True)
        return self._signing(found)

    def _signing(self, issuer: Manifest) -> Issuing:
        if issuer.spec("selfSigned") is not None:
            return Issuing(None, "it signs itself", by_itself=True)
        if issuer.spec("ca") is not None:
            if (name := self.authority(issuer)) is None:
                missing = f"the CA of {issuer.name} is not among what was read"
                said = f"{missing}: write an Authority {plain(issuer.name)}"
                return Issuing(plain(issuer.name), said, guessed=True)
            return Issuing(name, f"authority/{name}")
        for kind, capabilities in (("acme", ACME), ("vault", VAULT)):
            if issuer.spec(kind) is not None:
                return Issuing(self.name(issuer), f"issuer/{self.name(issuer)}", capabilities)
        return Issuing(None, f"{issuer.name} is of a kind there is none of here: choose an issuer")


def _key(kind: str, namespace: str, name: str) -> tuple[str, str, str]:
    return kind, "" if kind == "ClusterIssuer" else namespace, name
