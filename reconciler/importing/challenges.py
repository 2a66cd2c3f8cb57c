"""How names were proved elsewhere, and how they can be here: HTTP-01 and DNS-01 in our words.

Nobody's credentials are copied: what a solver needs is named, in a sops file that its owner makes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.importing.outcome import sealed_file
from schemas.base import digest

_TOKEN, _USER, _PASSWORD = "auth_token", "auth_username", "auth_password"
LEXICON: Mapping[str, tuple[str, ...]] = {
    "aliyun": ("auth_key_id", "auth_secret"),
    "arvancloud": (_TOKEN,),
    "aurora": ("auth_api_key", "auth_secret_key"),
    "cloudflare": (_TOKEN,),
    "cloudns": ("auth_id", _PASSWORD),
    "conoha": ("auth_region", "auth_tenant_id", _USER, _PASSWORD),
    "constellix": (_USER, _TOKEN),
    "desec": (_TOKEN,),
    "digitalocean": (_TOKEN,),
    "dinahosting": (_USER, _PASSWORD),
    "directadmin": ("endpoint", _USER, _PASSWORD),
    "dnsimple": (_TOKEN,),
    "dnsmadeeasy": (_USER, _TOKEN),
    "dnspod": (_USER, _TOKEN),
    "dnsservices": (_USER, _PASSWORD),
    "dreamhost": (_TOKEN,),
    "duckdns": (_TOKEN,),
    "dynu": (_TOKEN,),
    "easydns": (_USER, _TOKEN),
    "euserv": (_USER, _PASSWORD),
    "exoscale": ("auth_key", "auth_secret"),
    "gandi": (_TOKEN,),
    "gehirn": (_TOKEN, "auth_secret"),
    "glesys": (_USER, _TOKEN),
    "godaddy": ("auth_key", "auth_secret"),
    "hetzner": (_TOKEN,),
    "hostingde": (_TOKEN,),
    "httpnet": (_TOKEN,),
    "infoblox": ("ib_host", "auth_user", "auth_psw"),
    "infomaniak": (_TOKEN,),
    "internetbs": ("auth_key", _PASSWORD),
    "inwx": (_USER, _PASSWORD),
    "ionos": ("api_key",),
    "joker": (_TOKEN,),
    "linode": (_TOKEN,),
    "linode4": (_TOKEN,),
    "luadns": (_USER, _TOKEN),
    "mythicbeasts": (_USER, _PASSWORD),
    "namecheap": (_USER, _TOKEN, "auth_client_ip"),
    "namecom": (_USER, _TOKEN),
    "namesilo": (_TOKEN,),
    "netcup": ("auth_customer_id", "auth_api_key", "auth_api_password"),
    "nfsn": (_USER, _TOKEN),
    "njalla": (_TOKEN,),
    "nsone": (_TOKEN,),
    "ovh": (
        "auth_entrypoint",
        "auth_application_key",
        "auth_application_secret",
        "auth_consumer_key",
    ),
    "plesk": ("plesk_server", _USER, _PASSWORD),
    "pointhq": (_USER, _TOKEN),
    "porkbun": ("auth_key", "auth_secret"),
    "powerdns": ("pdns_server", _TOKEN),
    "rage4": (_USER, _TOKEN),
    "rcodezero": (_TOKEN,),
    "regfish": ("auth_api_key",),
    "safedns": (_TOKEN,),
    "sakuracloud": (_TOKEN, "auth_secret"),
    "scaleway": ("auth_secret_key",),
    "timeweb": (_TOKEN,),
    "transip": (_USER, "auth_api_key"),
    "ultradns": (_USER, _PASSWORD),
    "vercel": (_TOKEN,),
    "vultr": (_TOKEN,),
    "wedos": (_USER, "auth_pass"),
    "yandex": (_TOKEN,),
    "zilore": ("auth_key",),
    "zonomi": (_TOKEN,),
}
"""The providers of dns-lexicon that others have plug-ins for, and the options each needs (its own words)."""
ALIASES: Mapping[str, str] = {
    "alidns": "aliyun",
    "auroradns": "aurora",
    "gandiv5": "gandi",
    "linode": "linode4",
    "namedotcom": "namecom",
    "nearlyfreespeech": "nfsn",
    "ns1": "nsone",
    "pdns": "powerdns",
    "pointdns": "pointhq",
    "timewebcloud": "timeweb",
}
"""What certbot's plug-ins and lego call providers that dns-lexicon calls otherwise."""
OWN = {
    "route53": "route53",
    "rfc2136": "rfc2136",
    "dnsupdate": "rfc2136",
    "google": "cloudDNS",
    "gcloud": "cloudDNS",
    "azure": "azureDNS",
    "azuredns": "azureDNS",
}
"""What they call the kinds of DNS that certform speaks to by itself."""
CHOOSE_SERVER, CHOOSE_PROJECT = "127.0.0.1:53", "choose-a-project"
CHOOSE_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Proof:
    """A solver without its selector, what is to be said of it, and whether it proves what the other did.

    `todo` is what has to be corrected in it, or made beside it.
    """

    solver: Mapping[str, Any]
    said: str
    todo: str = ""
    faithful: bool = True


def webroot(path: str) -> Proof:
    """Return the solver that puts files below a directory."""
    return Proof({"http01": {"webroot": {"path": path}}}, f"http01.webroot {path}")


def standalone(listen: str = "") -> Proof:
    """Return the solver that listens by itself, on every address and port 80 if nothing is said."""
    settings = {"listen": listen} if listen and listen != "[::]:80" else {}
    return Proof({"http01": {"standalone": settings}}, f"http01.standalone {listen}".rstrip())


def stand_in(why: str) -> Proof:
    """Return a solver for names that were proved in a way there is none for."""
    return Proof(
        {"http01": {"standalone": {}}},
        f"{why}; `standalone: {{}}` stands in for it",
        "choose how these names are proved: `http01.standalone` only stands in for it",
        faithful=False,
    )


def edited_by(server: str) -> Proof:
    """Return the solver for names that a plug-in proved by editing a web server's configuration."""
    path = "/var/www/html"
    return Proof(
        {"http01": {"webroot": {"path": path}}},
        f"certform edits no configuration of {server}: `webroot: {{path: {path}}}` is proposed",
        f"have {server} serve {path}/.well-known/acme-challenge/ on port 80, or name its own directory",
        faithful=False,
    )


def by_dns(provider: str, known: Mapping[str, Any] | None = None) -> Proof:
    """Return the solver for a provider by what certbot, lego or cert-manager call it.

    `known` are the settings that were found, in our words.
    """
    provider = provider.lower()
    kind = OWN.get(provider)
    if kind is not None:
        return _own(kind, dict(known or {}))
    name = ALIASES.get(provider, provider)
    if name not in LEXICON:
        return stand_in(f"there is no solver for DNS at {provider}")
    return _lexicon(name)


def _own(kind: str, known: dict[str, Any]) -> Proof:
    if kind == "route53":
        solver = {"dns01": {"route53": known}}
        return Proof(solver, "dns01.route53, with the credentials that AWS's own chain finds")
    todo = ""
    if kind == "rfc2136":
        todo = _tsig(known)
    elif kind == "cloudDNS" and "project" not in known:
        known["project"], todo = CHOOSE_PROJECT, "write cloudDNS.project"
    elif kind == "azureDNS" and not known.get("resourceGroup"):
        known = {"subscriptionID": CHOOSE_SUBSCRIPTION, "resourceGroup": "choose", **known}
        todo = "write azureDNS.subscriptionID and resourceGroup"
    return Proof({"dns01": {kind: known}}, f"dns01.{kind}", todo)


def _tsig(known: dict[str, Any]) -> str:
    """Complete the settings of dynamic updates; tell what is missing."""
    file = sealed_file("dns-rfc2136")
    known.setdefault("tsigSecretRef", {"name": file, "key": "tsigSecret"})
    todo = f"`certform issuer secrets` asks for tsigSecret, the TSIG key ({file})"
    for name, value in (("nameserver", CHOOSE_SERVER), ("tsigKeyName", "choose")):
        if name not in known:
            known[name] = value
            todo = f"write rfc2136.{name}; {todo}"
    return todo


def _lexicon(name: str) -> Proof:
    file, options = sealed_file(f"dns-{name}"), LEXICON[name]
    secrets = {option: {"name": file, "key": option} for option in options}
    solver = {"dns01": {"lexicon": {"provider": name, "secretRefs": secrets}}}
    words = ", ".join(options)
    todo = f"`certform issuer secrets` asks for {words} ({file}); credentials are not copied"
    return Proof(solver, f"dns01.lexicon, provider {name}", todo)


def solvers(proofs: Iterable[tuple[Proof, Sequence[str]]]) -> tuple[dict[str, Any], ...]:
    """Return the solvers of an Issuer: one for all names where one does, else each with its names."""
    ways: dict[str, tuple[Proof, dict[str, None]]] = {}
    for proof, names in proofs:
        _, known = ways.setdefault(digest(proof.solver), (proof, {}))
        known.update(dict.fromkeys(names))
    if len(ways) == 1:
        return tuple(dict(proof.solver) for proof, _ in ways.values())
    return tuple(
        {"selector": {"dnsNames": tuple(names)}, **proof.solver} for proof, names in ways.values()
    )
