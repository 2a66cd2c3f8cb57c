"""How certbot proved each name: its authenticators, as solvers."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler.importing.challenges import Proof, by_dns, edited_by, stand_in, standalone, webroot
from reconciler.importing.ini import read_ini
from reconciler.importing.sources import Unread, read_text
from reconciler.importing.survey import Survey
from schemas.scalars import format_duration
from schemas.solvers import Propagation

_PART = "renewalparams"
Proofs = tuple[tuple[Proof, Sequence[str]], ...]


def proofs(survey: Survey, names: Sequence[str]) -> Proofs:
    """Return the ways the names of one renewal file are proved, and say what became of each setting."""
    kind = survey.text(_PART, "authenticator") or ""
    if kind == "webroot":
        return _webroots(survey, names)
    proof = _proof(survey, kind)
    said = "; ".join(filter(None, (proof.said, proof.todo)))
    if not kind:
        survey.left((), said)
    elif proof.faithful and not proof.todo:
        survey.carried((_PART, "authenticator"), said)
    else:
        (survey.changed if proof.faithful else survey.left)((_PART, "authenticator"), said)
    return ((proof, names),)


def _proof(survey: Survey, kind: str) -> Proof:
    if kind == "standalone":
        return _standalone(survey)
    if kind in {"nginx", "apache"}:
        return edited_by(kind)
    if kind == "manual":
        for name in ("manual_auth_hook", "manual_cleanup_hook"):
            if survey.text(_PART, name):
                survey.left((_PART, name), "no hook is run for a challenge: choose a solver")
        return stand_in("names proved by hand, or by hooks of yours, need a solver")
    provider = kind.rpartition(":")[2].removeprefix("dns-")
    if kind.startswith(("dns-", "certbot-dns-")) or ":dns-" in kind:
        return _waiting(survey, provider, _by_dns(survey, provider))
    return stand_in(
        f"nothing is known of the plug-in {kind}" if kind else "no authenticator is named"
    )


def _standalone(survey: Survey) -> Proof:
    port = survey.text(_PART, "http01_port") or "80"
    address = survey.text(_PART, "http01_address") or "[::]"
    listen = (
        f"{address}:{port}" if ":" not in address or address[0] == "[" else f"[{address}]:{port}"
    )
    for name in ("http01_port", "http01_address"):
        if survey.value(_PART, name) is not None:
            survey.carried((_PART, name), f"standalone.listen {listen}")
    return standalone(listen)


def _webroots(survey: Survey, names: Sequence[str]) -> Proofs:
    mapped = survey.mapping(_PART, "webroot_map")
    paths = survey.texts(_PART, "webroot_path") or tuple(
        filter(None, (survey.text(_PART, "webroot_path"),))
    )
    ways: dict[str, list[str]] = {}
    for name in names:
        found = mapped.get(name)
        path = found if isinstance(found, str) else next(iter(paths), None)
        if path is not None:
            ways.setdefault(path, []).append(name)
        if name in mapped and path is not None:
            survey.carried((_PART, "webroot_map", name), f"http01.webroot {path}")
    if not ways:
        proof = stand_in("no webroot is named")
        survey.left((_PART, "authenticator"), proof.said)
        return ((proof, names),)
    survey.carried((_PART, "authenticator"), f"http01.webroot {', '.join(ways)}")
    survey.known(_PART, "webroot_path")
    for name in set(mapped) - set(names):
        survey.left((_PART, "webroot_map", name), "the certificate that is there has no such name")
    return tuple((webroot(path), those) for path, those in ways.items())


def _by_dns(survey: Survey, provider: str) -> Proof:
    known: dict[str, Any] = {}
    if provider == "google" and (project := survey.text(_PART, "dns_google_project")):
        known["project"] = project
        survey.carried((_PART, "dns_google_project"), f"cloudDNS.project {project}")
    if provider == "rfc2136" and (path := survey.text(_PART, "dns_rfc2136_credentials")):
        known = _dynamic(survey, Path(path))
    proof = by_dns(provider, known)
    credentials = f"dns_{provider}_credentials".replace("-", "_")
    if survey.value(_PART, credentials) is not None and provider != "rfc2136":
        survey.left((_PART, credentials), proof.todo or "not read: credentials are not copied")
    return proof


def _dynamic(survey: Survey, path: Path) -> dict[str, Any]:
    """Return server, key name and algorithm of a TSIG key's file; the key itself is not looked at."""
    field = (_PART, "dns_rfc2136_credentials")
    try:
        words = Survey(read_ini(str(path), read_text(path)), {})
    except Unread as why:
        survey.left(field, f"{why.finding.summary}: write rfc2136.nameserver and tsigKeyName")
        return {}
    server, port = words.text("dns_rfc2136_server"), words.text("dns_rfc2136_port") or "53"
    algorithm = (words.text("dns_rfc2136_algorithm") or "HMAC-MD5").lower()
    known: dict[str, Any] = {}
    if server:
        host = f"[{server.strip('[]')}]" if ":" in server else server
        known["nameserver"] = f"{host}:{port}"
    if name := words.text("dns_rfc2136_name"):
        known["tsigKeyName"] = name
    if algorithm in {"hmac-sha256", "hmac-sha384", "hmac-sha512"}:
        known["tsigAlgorithm"] = algorithm
        survey.changed(
            field, "nameserver, tsigKeyName and tsigAlgorithm are carried, the key is not"
        )
    else:
        said = f"{algorithm} is too weak to be used here: make a TSIG key for hmac-sha256"
        survey.left(field, said)
    return known


def _waiting(survey: Survey, provider: str, proof: Proof) -> Proof:
    name = f"dns_{provider}_propagation_seconds".replace("-", "_")
    written = survey.text(_PART, name)
    if written is None or not written.isdecimal() or "dns01" not in proof.solver:
        return proof
    pause = timedelta(seconds=min(int(written[:5]), 86_400))
    if pause <= Propagation().timeout:
        survey.changed(
            (_PART, name), "no pause: the zone's name servers are asked until all have it"
        )
        return proof
    timeout = format_duration(pause)
    survey.changed((_PART, name), f"propagation.timeout {timeout}: waited for at most, not always")
    dns = {**proof.solver["dns01"], "propagation": {"timeout": timeout}}
    return Proof({"dns01": dns}, proof.said, proof.todo, proof.faithful)
