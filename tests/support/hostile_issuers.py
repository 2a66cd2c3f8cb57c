"""Pull requests whose Issuers are a stranger's: CAs that listen, secrets of others, solvers without end."""

from collections.abc import Iterator, Mapping
from typing import Any

from hostile_files import LARGE, NAMES
from hostile_trees import Node, link, submodule
from hostile_yaml import PLANNED, REFUSED, SHOUT, Case, certificate, document

SEALED = b"data: ENC[AES256_GCM,data:eA==,iv:eA==,tag:eA==,type:str]\nsops:\n    age: []\n"
ACME = "https://evil.example/dir"
VAULT = "https://evil.example:8200"
THEIRS = {"name": "teams/bank.sops.yaml", "key": "data"}
"""A secret that another team keeps in the same repository."""
HTTP: Mapping[str, Any] = {"http01": {"standalone": {}}}
WHERE = "config/stranger.yaml"
SOLVERS = 12_000
"""As many as there is room for in a file."""
LABEL = "a" * 40


def _asking(
    name: str, spec: Any, code: int = PLANNED, more: Mapping[str, Node | None] | None = None
) -> Case:
    """A pull request that adds an Issuer and a certificate that it is to issue."""
    files = {
        "teams/bank.sops.yaml": Node(SEALED),
        WHERE: Node(document("Issuer", "stranger", spec).encode()),
        "evil.yaml": Node(certificate("evil", issuerRef="stranger").encode()),
        **(more or {}),
    }
    return Case(name, files, code)


def _acme(**more: Any) -> dict[str, Any]:
    return {"acme": {"server": ACME, "privateKeySecretRef": THEIRS, "solvers": [HTTP], **more}}


def _vault(auth: Any = None, **more: Any) -> dict[str, Any]:
    return {"vault": {"server": VAULT, "role": "web", "auth": auth or {}, **more}}


def _dns(kind: str, settings: Any) -> dict[str, Any]:
    return _acme(solvers=[{"dns01": {kind: settings}}])


def cases() -> Iterator[Case]:
    """Every pull request."""
    yield from _strangers()
    yield from _anchors()
    yield from _plugged()
    yield from _endless()


def _strangers() -> Iterator[Case]:
    """CAs that want secrets of others sent to them; each is shown, and none is asked."""
    bound = {"keyID": "x", "keySecretRef": THEIRS}
    yield _asking("an ACME CA of a stranger", _acme(externalAccountBinding=bound))
    yield _asking("a Vault that wants a token", _vault({"tokenSecretRef": THEIRS}))
    role = {"roleId": SHOUT, "secretRef": THEIRS}
    yield _asking("a Vault that wants a secret id", _vault({"appRole": role}))
    for file in ("/etc/shadow", "/proc/self/environ", "/root/.config/sops/age/keys.txt"):
        jwt = {"role": "x", "tokenFile": file}
        yield _asking(f"a Vault that wants {file}", _vault({"jwt": jwt}))
        yield _asking(f"a Vault that wants {file} as a pod", _vault({"kubernetes": jwt}))
    metadata = {"server": "http://169.254.169.254", "role": "x"}
    yield _asking("a Vault of the machine's own metadata", {"vault": metadata}, REFUSED)
    yield _asking("an ACME CA that is no web address", _acme(server="file:///etc/passwd"), REFUSED)
    for name in NAMES[::3]:
        wanted = {"name": name, "key": "data"}
        yield _asking(
            f"an account key in {name[:40]!r}", _acme(privateKeySecretRef=wanted), REFUSED
        )
    inner = {"name": THEIRS["name"], "key": "sops"}
    yield _asking("a secret that sops did not encrypt", _acme(privateKeySecretRef=inner), REFUSED)
    for path in ("/etc", "/proc/self/root", "/root/.ssh"):
        solver = {"http01": {"webroot": {"path": path}}}
        yield _asking(f"a webroot at {path}", _acme(solvers=[solver]))


def _anchors() -> Iterator[Case]:
    """Anchors that are no file of the repository, too large, or not what they say."""
    for kind, spec, names in (("acme", _acme, NAMES), ("vault", _vault, NAMES[::5])):
        for name in names:
            yield _asking(f"{kind} with anchors in {name[:40]!r}", spec(caBundle=name), REFUSED)
        named = spec(caBundle="teams/ca.pem")
        for what, node in {
            "a link": link(b"/etc/ssl/certs/ca-certificates.crt"),
            "a link to a secret": link(b"bank.sops.yaml"),
            "a submodule": submodule(),
            "64 MiB": Node(b"\0" * LARGE),
        }.items():
            more = {"teams/ca.pem": node}
            yield _asking(f"{kind} with anchors that are {what}", named, REFUSED, more)


def _plugged() -> Iterator[Case]:
    """Kinds of DNS that nobody has, and settings that explode."""
    yield _asking("a solver that nobody has", _dns("evil.example/dns", {"run": "id"}), REFUSED)
    yield _asking("a solver of the system", _dns("os/system", {"x": "touch owned"}), REFUSED)
    deep: Any = "x"
    for _ in range(90):
        deep = {"a": deep}
    yield _asking("a solver of deep settings", _dns("evil.example/dns", {"x": deep}), REFUSED)
    yield _asking("a provider that climbs", _dns("lexicon", {"provider": "../../os"}), REFUSED)
    told = {"provider": "manual", "options": {"x": deep}}
    yield _asking("options that are deep", _dns("lexicon", told), REFUSED)
    wide = {f"o{n}": "x" for n in range(50_000)}
    many = {"provider": "manual", "options": wide}
    yield _asking("options without end", _dns("lexicon", many))
    refs = {f"o{n}": {"name": f"s/{n}.sops.yaml", "key": "x"} for n in range(12_000)}
    far = {"provider": "manual", "secretRefs": refs}
    yield _asking("secrets without end", _dns("lexicon", far), REFUSED)
    shout = {"provider": "manual", "options": {SHOUT: "\x1b[31m", "b": "`<img>`"}}
    yield _asking("options of words", _dns("lexicon", shout), REFUSED)


def _endless() -> Iterator[Case]:
    """Selectors and names by the ten thousand: what takes long for one is asked for each of the others."""
    zones = [f"{LABEL}{n}.example.net" for n in range(SOLVERS)]
    names = [f"n{n}.example.com" for n in range(SOLVERS)]
    asked = {"evil.yaml": Node(certificate("evil", issuerRef="stranger", dnsNames=names).encode())}
    shards = {
        f"d/{n}.yaml": Node(
            "\n---\n".join(
                certificate(f"c{n}x{m}", issuerRef="stranger", dnsNames=names[m : m + 90])
                for m in range(0, 10_000, 90)
            ).encode()
        )
        for n in range(3)
    }
    selector = {"dnsZones": zones}
    one = _acme(solvers=[{"selector": selector, **HTTP}])
    yield _asking("zones without end", one, REFUSED, asked)
    known = _acme(solvers=[HTTP, {"selector": selector, **HTTP}])
    yield _asking("zones without end, and many certificates", known, PLANNED, shards)
    apart = [{"selector": {"dnsNames": [name]}, **HTTP} for name in names]
    yield _asking("solvers without end", _acme(solvers=[*apart, HTTP]), PLANNED, shards)
    yield _asking("one solver without end", _acme(solvers=[HTTP] * SOLVERS), REFUSED)
