"""Lies of an ACME CA, each by what a door does, and how it is told of."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address
from itertools import repeat
from typing import Any

from acme_door import Door
from acme_fleet import AcmeFleet
from acme_forge import Forge, Wanted, altered, renamed
from acme_front import problem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from wire import Response

LOUD = "::add-mask::x\r\n::error::merge me\n\x1b[2J\x1b[31m\u202e ##[error]x `![x](http://x)` <img src=x>"
DAY = timedelta(days=1)
READS = ("directory", "newOrder", "authorization", "order", "finalize")
"""What is answered with JSON in the course of an order."""


@dataclass(frozen=True)
class Scene:
    """Who lies to whom. `elsewhere` are addresses that a door must not lead to."""

    door: Door
    fleet: AcmeFleet
    forge: Forge
    elsewhere: Mapping[str, str]


@dataclass(frozen=True)
class Lie:
    """What is done, and what is said of it, as a pattern."""

    name: str
    tell: Callable[[Scene], None]
    told: str

    def __str__(self) -> str:
        return self.name


def _sold(
    make: Callable[[Scene, x509.CertificateSigningRequest], bytes],
) -> Callable[[Scene], None]:
    return lambda scene: scene.door.sell(lambda csr, _: make(scene, csr))


def _forged(**wrong: Any) -> Callable[[Scene], None]:
    return _sold(lambda scene, csr: scene.forge.sell(csr, Wanted(**wrong)))


def _bodies(change: Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    return lambda scene: scene.door.sell(lambda _, body: change(body))


def _key() -> ec.EllipticCurvePublicKey:
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def _again(scene: Scene, csr: x509.CertificateSigningRequest) -> bytes:
    serial = int(scene.fleet.current("www").serial, 16)
    return scene.forge.sell(csr, Wanted(serial=serial))


def _many_names(scene: Scene, csr: x509.CertificateSigningRequest) -> bytes:
    return scene.forge.sell(csr, renamed(csr, *(f"n{n}.{'x' * 40}.example" for n in range(2000))))


def _version_5(scene: Scene, csr: x509.CertificateSigningRequest) -> bytes:
    leaf = scene.forge.leaf(csr)
    return altered(leaf, b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x04") + scene.forge.above


def _unreadable_issuer(scene: Scene, csr: x509.CertificateSigningRequest) -> bytes:
    return scene.forge.leaf(csr) + altered(scene.forge.above, b"Forged CA", b"\xff\xfe\xfdged CA")


_HERE = x509.IPAddress(ip_address("127.0.0.1"))
_OTHER = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x04root")
_ROT = b"-----BEGIN CERTIFICATE-----"
FORGERIES = (
    Lie("another key", _forged(key=_key()), "its key is not that"),
    Lie(
        "a name too many",
        _sold(lambda scene, csr: scene.forge.sell(csr, renamed(csr, "bank.example"))),
        "it has the DNS name bank.example",
    ),
    Lie(
        "a name too few",
        _sold(lambda scene, csr: scene.forge.sell(csr, renamed(csr, without=1))),
        "it lacks the DNS name api.example.com",
    ),
    Lie("an address too many", _forged(more=(_HERE,)), "it has the IP address 127.0.0.1"),
    Lie("a name of another kind", _forged(more=(_OTHER,)), "it has a name of another kind"),
    Lie("2,000 names", _sold(_many_names), "it has the DNS name n0.x+.example"),
    Lie("a loud name", _forged(common=LOUD.replace("\n", " ")[:60]), "its common name is"),
    Lie("expired", lambda s: _forged(start=_ago(scene=s, days=91))(s), "it has expired"),
    Lie("not valid yet", lambda s: _forged(start=_ago(scene=s, days=-9))(s), "it is not valid yet"),
    Lie("a CA", _forged(ca=True), "it is a CA"),
    Lie("the serial of another", _sold(_again), "its serial is that of another certificate"),
    Lie(
        "a chain of strangers",
        _sold(lambda scene, csr: scene.forge.leaf(csr) + scene.forge.stranger().above * 2),
        "the chain is broken",
    ),
    Lie(
        "signed by somebody of the same name",
        _sold(lambda scene, csr: scene.forge.stranger().leaf(csr) + scene.forge.above),
        "the chain is broken",
    ),
    Lie("no issuer", _sold(lambda scene, csr: scene.forge.leaf(csr)), "no issuer came with it"),
    Lie(
        "itself as its issuer",
        _sold(lambda scene, csr: scene.forge.leaf(csr) * 2),
        "what came as its issuer is no CA",
    ),
    Lie("X.509 version 5", _sold(_version_5), "no chain of 1"),
    Lie("an issuer whose name is no text", _sold(_unreadable_issuer), "no chain of 1"),
    Lie("1 MiB", _bodies(lambda body: body + b"\n" * 2**20), "with more than 262144 bytes"),
    Lie("10,000 certificates", _bodies(lambda body: body * 5000), "with more than 262144 bytes"),
    Lie("4,000 empty ones", _bodies(lambda _: (_ROT + b"\n" + _ROT[:5]) * 4000), "no chain of 1"),
    Lie("begun 9,000 times", _bodies(lambda _: (_ROT + b"\n") * 9000), "no chain of 1"),
    Lie("a web page", _bodies(lambda _: LOUD.encode()), "no chain of 1 to 10"),
    Lie("rot", _bodies(lambda body: body.replace(b"A", b"B")), "no chain|cannot be read|broken"),
)
"""Certificates that are not what was asked for."""


def _ago(scene: Scene, days: int) -> Any:
    return scene.fleet.now - days * DAY


def _leads(what: str, place: Callable[[Any, str], Any], to: str) -> Callable[[Scene], None]:
    def tell(scene: Scene) -> None:
        for each in what.split():
            scene.door.tell(each, lambda said: place(said, scene.elsewhere[to]))

    return tell


def _located(to: str) -> Callable[[Scene], None]:
    return lambda scene: scene.door.change("newOrder", Location=scene.elsewhere[to])


def _placed(what: str, location: str) -> Callable[[Scene], None]:
    return lambda scene: scene.door.change(what, Location=location)


def _redirected(what: str, to: str, status: int) -> Callable[[Scene], None]:
    return lambda scene: scene.door.answer(
        what, Response(status, b"", {"Location": scene.elsewhere[to]})
    )


def _challenged(said: Any, **more: Any) -> Any:
    return {**said, "challenges": [{**each, **more} for each in said["challenges"]]}


_PLACES: Mapping[str, tuple[str, Callable[[Any, str], Any]]] = {
    "nonces": ("directory", lambda said, to: {**said, "newNonce": to}),
    "accounts": ("directory", lambda said, to: {**said, "newAccount": to}),
    "orders": ("directory", lambda said, to: {**said, "newOrder": to}),
    "an authorization": ("newOrder order", lambda said, to: {**said, "authorizations": [to]}),
    "a challenge": ("authorization", lambda said, to: _challenged(said, url=to)),
    "finalize": ("order", lambda said, to: {**said, "finalize": to}),
    "a certificate": ("order", lambda said, to: {**said, "certificate": to}),
}
_ELSEWHERE = ("port", "host", "plain", "file", "login")


def astray() -> Iterator[Lie]:
    """Yield what leads to another place than the CA."""
    told = "another host|https:// address|no order|no directory|no authorization|not say what"
    for to in _ELSEWHERE:
        for name, (what, place) in _PLACES.items():
            yield Lie(f"{name} at another {to}", _leads(what, place, to), told)
        yield Lie(f"an order at another {to}", _located(to), told)
        yield Lie(
            f"a directory that leads to another {to}", _redirected("directory", to, 302), told
        )
    for what in ("newNonce", "newAccount", "newOrder", "order", "finalize", "certificate"):
        yield Lie(f"{what} that leads on", _redirected(what, "port", 307), "is not followed")
    yield Lie("redirects without an end", _redirected("directory", "self", 301), "one address to")


def _deep(body: bytes) -> Callable[[str], Callable[[Scene], None]]:
    return lambda what: lambda scene: scene.door.answer(what, Response(200, body))


def _said(what: str, **more: Any) -> Callable[[Scene], None]:
    return lambda scene: scene.door.tell(what, lambda said: {**said, **more})


def _token(value: str) -> Callable[[Scene], None]:
    return lambda s: s.door.tell("authorization", lambda said: _challenged(said, token=value))


def _jumped(scene: Scene) -> None:
    """Call an order valid that nobody has proved, and hand out a certificate of somebody else."""
    key = ec.generate_private_key(ec.SECP256R1())
    other = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .sign(key, hashes.SHA256())
    )
    place = f"{scene.door.wire.url}/certZ/0"
    scene.door.tell("newOrder", lambda said: {**said, "status": "valid", "certificate": place})
    names = Wanted(names=("api.example.com", "www.example.com"))
    scene.door.answer("certificate", Response(200, scene.forge.sell(other, names)))


def _ready(scene: Scene) -> None:
    for what in ("newOrder", "order"):
        _said(what, status="ready")(scene)


def _many(said: Any) -> Any:
    return {**said, "authorizations": said["authorizations"][:1] * 2500}


_BOMBS = {
    "deep": b'{"status":' + b"[" * 100_000,
    "wide": b'{"status":"pending","identifiers":[' + b"{}," * 60_000 + b"{}]}",
    "a number": b'{"status":' + b"9" * 100_000 + b"}",
    "not JSON": LOUD.encode(),
    "binary": b"\xff\xfe\x00" * 1000,
    "nothing": b"",
}


def nonsense() -> Iterator[Lie]:
    """Yield answers that nobody can make anything of."""
    for name, body in _BOMBS.items():
        for what in READS if name == "deep" else ("newOrder", "authorization", "directory"):
            told = "the CA's answer is no (order|authorization|directory)|does not say what"
            yield Lie(f"{what}: {name}", _deep(body)(what), told)
    for place in ("", "javascript:alert(1)", "https://", "x" * 60_000):
        nowhere = "does not say what|at another host"
        yield Lie(f"an account at {place[:12]!r}", _placed("newAccount", place), nowhere)
        yield Lie(f"an order at {place[:12]!r}", _placed("newOrder", place), nowhere)
    yield Lie("endless", lambda s: s.door.answer("order", _endless()), "more than 262144 bytes")
    yield Lie("endless words", lambda s: s.door.answer("newOrder", _endless()), "more than 262144")
    for token in ("../../../../etc/passwd", "a/b", "%2e%2e%2f" * 9, "x" * 50_000, "", "\x1b[31m"):
        yield Lie(f"the token {token[:20]!r}", _token(token), "token is not base64url")
    kinds = [{"type": LOUD, "url": "https://localhost/", "token": "x"}]
    yield Lie("unheard of challenges", _said("authorization", challenges=kinds), "takes no http-01")
    yield Lie("no challenges", _said("authorization", challenges=[]), "takes no http-01")
    other = {"type": "dns", "value": LOUD}
    yield Lie("a name of others", _said("authorization", identifier=other), "was not asked for")
    yield Lie("2,500 proofs", lambda s: s.door.tell("newOrder", _many), "more names proved than")
    yield Lie("valid at once", _jumped, "its key is not that")
    yield Lie("ready for nothing", _ready, "the next run looks")
    bad = {"type": LOUD, "detail": LOUD * 300, "subproblems": [{"type": LOUD}] * 100}
    failed = _said("order", status="invalid", error=bad)
    yield Lie("a failure told loudly", failed, "order is invalid: ::add-mask::x ::error::merge me")


def _endless() -> Response:
    return Response(200, parts=repeat(b" " * 4096))


def _refused(
    what: str, status: int, code: str, detail: str = LOUD * 300
) -> Callable[[Scene], None]:
    return lambda scene: scene.door.answer(what, problem(status, code, detail))


def refusals() -> Iterator[Lie]:
    """Yield refusals in more words than anybody reads."""
    for what, code, status in (
        ("newAccount", "malformed", 400),
        ("newOrder", "rejectedIdentifier", 403),
        ("newOrder", LOUD, 418),
        ("authorization", "unauthorized", 403),
        ("finalize", "badCSR", 400),
        ("certificate", "malformed", 400),
    ):
        told = "add-mask::x ::error::merge me"
        yield Lie(f"{what} refused loudly: {code[:20]!r}", _refused(what, status, code), told)
    million = json.dumps({"type": "x", "detail": "x" * 2**20}).encode()
    shout = Response(403, million, {"Content-Type": "application/problem+json"})
    yield Lie("1 MiB of words", lambda s: s.door.answer("newOrder", shout), "more than 262144")


def encoded(said: Any) -> bytes:
    """Return JSON, NaN and all."""
    return json.dumps(said).encode()


ALL = (*FORGERIES, *astray(), *nonsense(), *refusals())
