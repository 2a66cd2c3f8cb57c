"""The solvers of a cert-manager Issuer, as ours."""

from typing import Any

from reconciler.importing.challenges import LEXICON, Proof, by_dns, stand_in
from reconciler.importing.outcome import sealed_file
from reconciler.importing.survey import Survey

_HERE = ("spec", "acme", "solvers")
_PATHS = {
    "route53": {"role": "role", "hostedZoneID": "hostedZoneID"},
    "cloudDNS": {"project": "project", "hostedZoneName": "zone"},
    "azureDNS": {
        "subscriptionID": "subscriptionID",
        "resourceGroupName": "resourceGroup",
        "hostedZoneName": "zone",
        "tenantID": "tenant",
    },
}
"""Fields of the kinds of DNS that certform speaks to by itself: theirs, and ours."""
_KINDS = {"route53": "route53", "cloudDNS": "gcloud", "azureDNS": "azure"}
_TSIG = {
    "HMACSHA256": "hmac-sha256",
    "HMACSHA384": "hmac-sha384",
    "HMACSHA512": "hmac-sha512",
}


def solvers(survey: Survey, remarks: list[str]) -> tuple[dict[str, Any], ...]:
    """Return the solvers that can be carried over; one that stands in where none can."""
    found = []
    listed = survey.value(*_HERE)
    for index in range(len(listed) if isinstance(listed, tuple) else 0):
        proof = _dns(survey, index)
        if proof is not None:
            found.append({**_selector(survey, index), **proof.solver})
            remarks += [proof.todo] if proof.todo else []
        else:
            survey.known(*_HERE, index, "selector")
            remarks.append(f"solver {index + 1} was left out: add one for the names it was for")
    if not found:
        proof = stand_in("none of its solvers can be carried over")
        survey.left((), proof.said)
        remarks.append(proof.todo)
        return (dict(proof.solver),)
    return tuple(found)


def _selector(survey: Survey, index: int) -> dict[str, Any]:
    here = (*_HERE, index, "selector")
    kept = {
        field: names for field in ("dnsNames", "dnsZones") if (names := survey.texts(*here, field))
    }
    for field in kept:
        survey.carried((*here, field), f"selector.{field}")
    return {"selector": kept} if kept else {}


def _dns(survey: Survey, index: int) -> Proof | None:
    here = (*_HERE, index, "dns01")
    if not survey.mapping(*here):
        return None
    proof = _proof(survey, here)
    if proof is None:
        for field in ("cnameStrategy", "nameservers"):
            survey.known(*here, field)
        return None
    common: dict[str, Any] = {}
    if strategy := survey.text(*here, "cnameStrategy"):
        common["cnameStrategy"] = strategy
        survey.carried((*here, "cnameStrategy"), "dns01.cnameStrategy")
    if servers := survey.texts(*here, "nameservers"):
        common["propagation"] = {"nameservers": servers}
        survey.carried((*here, "nameservers"), "propagation.nameservers")
    return Proof({"dns01": {**common, **proof.solver["dns01"]}}, proof.said, proof.todo)


def _proof(survey: Survey, here: tuple[str | int, ...]) -> Proof | None:
    for kind, fields in _PATHS.items():
        if survey.value(*here, kind) is not None:
            return _own(survey, (*here, kind), kind, fields)
    if survey.value(*here, "rfc2136") is not None:
        return _updates(survey, (*here, "rfc2136"))
    for kind in ("cloudflare", "digitalocean"):
        if survey.value(*here, kind) is not None:
            return _named(survey, (*here, kind), kind)
    solver = survey.text(*here, "webhook", "solverName")
    if solver and solver.lower() in LEXICON:
        return _named(survey, (*here, "webhook", "solverName"), solver.lower())
    if solver:
        survey.left((*here, "webhook", "solverName"), f"there is no solver for DNS at {solver}")
    return None


def _own(survey: Survey, here: tuple[str | int, ...], kind: str, fields: dict[str, str]) -> Proof:
    known = {}
    for theirs, ours in fields.items():
        if value := survey.text(*here, theirs):
            known[ours] = value
            survey.carried((*here, theirs), f"{kind}.{ours}")
    proof = by_dns(_KINDS[kind], known)
    if kind == "azureDNS":
        environment = survey.text(*here, "environment")
        if environment not in {None, "AzurePublicCloud"}:
            survey.left((*here, "environment"), "write azureDNS.endpoint for another cloud")
        survey.known(*here, "environment")
    if not survey.mapping(*here):
        survey.carried(here, proof.said)
    return proof


def _named(survey: Survey, here: tuple[str | int, ...], name: str) -> Proof:
    proof = by_dns(name)
    survey.changed(here, f"{proof.said}; {proof.todo}")
    return proof


def _updates(survey: Survey, here: tuple[str | int, ...]) -> Proof:
    known: dict[str, Any] = {}
    if server := survey.text(*here, "nameserver"):
        bare = server.count(":") > 1 and not server.startswith("[")
        host = f"[{server}]" if bare else server
        known["nameserver"] = host if ":" in host.rpartition("]")[2] else f"{host}:53"
        survey.carried((*here, "nameserver"), f"rfc2136.nameserver {known['nameserver']}")
    if name := survey.text(*here, "tsigKeyName"):
        known["tsigKeyName"] = name
        survey.carried((*here, "tsigKeyName"), "rfc2136.tsigKeyName")
    algorithm = survey.text(*here, "tsigAlgorithm")
    if algorithm in _TSIG:
        known["tsigAlgorithm"] = _TSIG[algorithm]
        survey.carried((*here, "tsigAlgorithm"), f"rfc2136.tsigAlgorithm {_TSIG[algorithm]}")
    else:
        path = (*here, "tsigAlgorithm") if algorithm else here
        survey.left(
            path,
            f"{algorithm or 'HMACMD5'} is too weak to be used here: make a key for hmac-sha256",
        )
    proof = by_dns("rfc2136", known)
    if survey.value(*here, "tsigSecretSecretRef") is not None:
        said = f"`certform issuer secrets` asks for tsigSecret ({sealed_file('dns-rfc2136')})"
        survey.left((*here, "tsigSecretSecretRef"), said)
    return proof
