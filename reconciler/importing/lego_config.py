""".lego.yml, the configuration of lego v5: accounts, challenges, certificates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.importing.accounts import LETS_ENCRYPT, Account, Issuers
from reconciler.importing.challenges import Proof, by_dns, stand_in, standalone, webroot
from reconciler.importing.leaf_drafts import Targets, as_reload, key_of, key_spec, named, renewal
from reconciler.importing.lego_fields import CODES, CONFIGURATION
from reconciler.importing.lego_storage import Kept, folder_of
from reconciler.importing.naming import Names
from reconciler.importing.notes import Note, Rule, Table
from reconciler.importing.outcome import Draft
from reconciler.importing.sources import Unread, host_and_path, read_text, yaml_document
from reconciler.importing.survey import Survey
from reconciler.load.yaml import Value

_PLAIN: Mapping[str, Mapping[str, Value]] = {
    "http-01": {"http": {}},
    "tls-alpn-01": {"tls": {}},
    "dns-persist-01": {"dnsPersist": {}},
}


@dataclass(frozen=True, slots=True)
class Configured:
    """What a configuration declares; `names` are what it calls its certificates."""

    drafts: tuple[Draft, ...] = ()
    notes: tuple[Note, ...] = ()
    names: frozenset[str] = frozenset()


def configured(
    path: Path,
    kept: Sequence[Kept],
    issuers: Issuers,
    targets: Targets,
    names: Names,
    broken: list[Diagnostic],
) -> Configured:
    """Return what a configuration declares; nothing, told in `broken`, where it cannot be read."""
    try:
        words = yaml_document(str(path), read_text(path))
    except Unread as why:
        broken.append(why.finding)
        return Configured()
    survey = Survey(words, _spelt_out(words.data))
    drafts = tuple(
        _certificate(survey, called, kept, issuers, targets, names)
        for called in survey.mapping("certificates")
    )
    survey.known("storage")
    _say_deployment(survey)
    told = frozenset(map(str, survey.mapping("certificates")))
    return Configured(drafts, survey.notes(), told)


def _spelt_out(data: Mapping[str, object]) -> Table:
    """Return the rules of a configuration with its own names in the place of the stars."""
    rules: dict[str, Rule] = {}
    for pattern, rule in CONFIGURATION.items():
        part, star, rest = pattern.partition(".*.")
        section = data.get(part)
        if star and isinstance(section, dict):
            rules |= {f"{part}.{name}.{rest}": rule for name in section}
        elif not star:
            rules[pattern] = rule
    return rules


def _certificate(
    survey: Survey,
    called: str,
    kept: Sequence[Kept],
    issuers: Issuers,
    targets: Targets,
    names: Names,
) -> Draft:
    here = ("certificates", called)
    name = names.free("Certificate", called)
    wanted = survey.texts(*here, "domains")
    account = _account(survey, called, kept)
    issuer = issuers.add(account, ((_proof(survey, called), wanted),), survey.words)
    survey.carried((*here, "domains"), f"dnsNames of certificate/{name}")
    for field_, word in (("preferredChain", "preferredChain"), ("profile", "profile")):
        if survey.value(*here, field_) is not None:
            survey.carried((*here, field_), f"{word} of issuer/{issuer}")
    spec: dict[str, object] = {"issuerRef": issuer, **named(wanted), **_renewal(survey, here)}
    if key := _key(survey, called, name):
        spec["privateKey"] = key
    spec["targets"] = (targets.called(None, survey.words),)
    return Draft("Certificate", name, spec, survey.words)


def _account(survey: Survey, called: str, kept: Sequence[Kept]) -> Account:
    here = ("certificates", called)
    known = survey.mapping("accounts")
    only = next(iter(known)) if len(known) == 1 else "noemail@example.com"
    name = survey.text(*here, "account") or only
    server = survey.text("accounts", name, "server") or "letsencrypt"
    url = survey.text("servers", server, "url") or CODES.get(server, server)
    folder = folder_of(host_and_path(url or LETS_ENCRYPT)[0])
    mine = next((k for k in kept if k.host == folder and k.name == name), None)
    email = survey.text("accounts", name, "email")
    binding = survey.text("accounts", name, "eab", "kid")
    for path, said in (
        ((*here, "account"), f"the account {name} at {url}"),
        (("accounts", name, "server"), f"server {url}"),
        (("servers", server, "url"), f"server {url}"),
        (("accounts", name, "email"), "email"),
        (("accounts", name, "eab", "kid"), "externalAccountBinding.keyID"),
    ):
        if survey.value(*path) is not None:
            survey.carry_once(path, f"{said} of its Issuer")
    return Account(
        url,
        email,
        mine.key_file if mine else None,
        survey.text(*here, "profile"),
        survey.text(*here, "preferredChain"),
        binding,
        survey.text(*here, "renew", "ari", "disable") != "true",
    )


def _proof(survey: Survey, called: str) -> Proof:
    here, known = ("certificates", called), survey.mapping("challenges")
    name = survey.text(*here, "challenge") or (next(iter(known)) if len(known) == 1 else "http-01")
    if survey.value(*here, "challenge") is not None:
        survey.known(*here, "challenge")
    path = ("challenges", name)
    settings = survey.mapping(*path) or _PLAIN.get(name, {})
    if "http" in settings:
        return _http(survey, path)
    if "dns" in settings:
        proof = by_dns(survey.text(*path, "dns", "provider") or "")
        survey.carry_once(
            (*path, "dns", "provider"), "; ".join(filter(None, (proof.said, proof.todo)))
        )
        return _resolved(survey, path, proof)
    kind = next(iter(settings), "no challenge")
    proof = stand_in(f"names are not proved by {kind} here")
    if survey.value(*path, kind) is not None:
        survey.left((*path, kind), proof.said)
    return proof


def _http(survey: Survey, path: tuple[str, ...]) -> Proof:
    if folder := survey.text(*path, "http", "webroot"):
        survey.carry_once((*path, "http", "webroot"), f"http01.webroot {folder}")
        survey.known(*path, "http", "address")
        return webroot(folder)
    address = survey.text(*path, "http", "address") or ":80"
    listen = f"[::]{address}" if address.startswith(":") else address
    if survey.value(*path, "http", "address") is not None:
        survey.carry_once((*path, "http", "address"), f"http01.standalone {listen}")
    return standalone(listen)


def _resolved(survey: Survey, path: tuple[str, ...], proof: Proof) -> Proof:
    servers = survey.texts(*path, "dns", "resolvers")
    if not servers or "dns01" not in proof.solver:
        return proof
    survey.carry_once((*path, "dns", "resolvers"), "propagation.nameservers")
    written = tuple(f"127.0.0.1{s}" if s.startswith(":") else s for s in servers)
    dns = {**proof.solver["dns01"], "propagation": {"nameservers": written}}
    return Proof({"dns01": dns}, proof.said, proof.todo, proof.faithful)


def _renewal(survey: Survey, here: tuple[str, ...]) -> dict[str, object]:
    if survey.value(*here, "renew", "ari", "disable") is not None:
        survey.carried((*here, "renew", "ari", "disable"), "renewalInformationSource of its Issuer")
    days = survey.text(*here, "renew", "days")
    if days is None or not days.isdecimal():
        return {}
    before = renewal(timedelta(days=int(days[:5])), None)
    if before is None:
        survey.left((*here, "renew", "days"), "it would be renewed all the time: left out")
        return {}
    survey.carried((*here, "renew", "days"), f"renewBefore {before}")
    return {"renewBefore": before}


def _key(survey: Survey, called: str, name: str) -> dict[str, object]:
    here = ("certificates", called)
    reused = survey.text(*here, "renew", "reuseKey") == "true"
    if survey.value(*here, "renew", "reuseKey") is not None:
        said = f"rotationPolicy {'Never' if reused else 'Always'} of certificate/{name}"
        survey.changed((*here, "renew", "reuseKey"), said)
    account = survey.text(*here, "account") or next(iter(survey.mapping("accounts")), "")
    found = (survey.text(*path) for path in ((*here, "keyType"), ("accounts", account, "keyType")))
    key = key_of(next(filter(None, found), "EC256"))
    spec = key_spec(key, reused=reused)
    for path in ((*here, "keyType"), ("accounts", account, "keyType")):
        if survey.value(*path) is not None and "algorithm" in spec:
            survey.carry_once(path, f"privateKey {key}")
    return spec


def _say_deployment(survey: Survey) -> None:
    path = ("hooks", "deploy", "command")
    if command := survey.text(*path):
        survey.left(path, as_reload(command))
