"""What certbot takes for granted (cli.ini), and what is said of settings that no document has."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reconciler.diagnostics import Diagnostic
from reconciler.importing.certbot_fields import ENTRY, OFTEN_OFF, SETTINGS, STAPLING
from reconciler.importing.ini import IniWords, read_ini
from reconciler.importing.leaf_drafts import as_reload
from reconciler.importing.notes import Rule, left
from reconciler.importing.sources import Unread, read_text
from reconciler.importing.survey import Survey

_PART = "renewalparams"
_PLAIN = frozenset(
    {
        *("domains", "ip_addresses", "email", "webroot_path", "http01_port", "http01_address"),
        *("manual_auth_hook", "manual_cleanup_hook", "no_autorenew", "webroot_map"),
    }
)
"""Settings that are read where they count, and mean nothing anywhere else."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What cli.ini says for every certificate."""

    email: str | None = None
    server: str | None = None
    chain: str | None = None
    profile: str | None = None
    binding: str | None = None
    survey: Survey | None = None


def read_defaults(directory: Path, broken: list[Diagnostic]) -> Defaults:
    """Return what cli.ini says; nothing where there is none."""
    path = directory / "cli.ini"
    if not path.exists() and not path.is_symlink():
        return Defaults()
    try:
        words = read_ini(str(path), read_text(path))
    except Unread as why:
        broken.append(why.finding)
        return Defaults()
    return _defaults(words)


def _defaults(words: IniWords) -> Defaults:
    survey = Survey(words, {name: _rule(name) for name in words.data})
    written = {name.replace("-", "_"): name for name in words.data}

    def taken(name: str, said: str) -> str | None:
        found = survey.text(written[name]) if name in written else None
        if found is not None:
            survey.carried((written[name],), said)
        return found

    email = taken("email", "email of the Issuers, where an account names none")
    profile = taken("required_profile", "profile of the Issuers, where nothing else is said")
    profile = profile or taken(
        "preferred_profile", "profile of the Issuers, where nothing else is said"
    )
    binding = taken("eab_kid", "externalAccountBinding.keyID of the Issuers")
    if "eab_hmac_key" in written:
        survey.left(
            (written["eab_hmac_key"],),
            "not copied: `certform issuer secrets` asks for hmacKey",
        )
    _say_hooks(survey, (), written)
    server = taken("server", "server of the Issuers, where a renewal file names none")
    chain = taken("preferred_chain", "preferredChain of the Issuers, where nothing else is said")
    return Defaults(email, server, chain, profile, binding, survey)


def _rule(name: str) -> Rule:
    known = SETTINGS.get(name.replace("-", "_"))
    if known is None:
        return left("") if not name.startswith(("dns-", "nginx-", "apache-")) else left(ENTRY)
    return known if known.words else left(ENTRY)


def say_rest(survey: Survey) -> None:
    """Say what becomes of the settings of a renewal file that no document of ours has."""
    settings = survey.mapping(_PART)
    if survey.text(_PART, "must_staple") not in {None, *OFTEN_OFF}:
        survey.left((_PART, "must_staple"), STAPLING)
    if survey.text(_PART, "autorenew") in OFTEN_OFF and "autorenew" in settings:
        said = (
            "certform renews it while its document is there: delete the document if nobody needs it"
        )
        survey.left((_PART, "autorenew"), said)
    if survey.text(_PART, "csr"):
        survey.left((_PART, "csr"), "certform makes key and request by itself")
    _say_hooks(survey, (_PART,), {name: name for name in settings})
    for name in _PLAIN & settings.keys():
        survey.known(_PART, name)
    for name, value in settings.items():
        prefixes = ("apache_", "nginx_", "standalone_", "webroot_", "manual_", "dns_")
        off = isinstance(value, str) and value in OFTEN_OFF
        if off or (name.startswith(prefixes) and name not in SETTINGS):
            survey.known(_PART, name)


def _say_hooks(survey: Survey, above: tuple[str, ...], written: Mapping[str, str]) -> None:
    for name in ("deploy_hook", "renew_hook"):
        command = survey.text(*above, written[name]) if name in written else None
        if command:
            survey.left((*above, written[name]), as_reload(command))
    for name, when in (("pre_hook", "before it asks"), ("post_hook", "afterwards")):
        if name in written and survey.text(*above, written[name]):
            said = f"certform runs nothing {when} but `check` and `reload` of a Target"
            survey.left((*above, written[name]), said)
