"""The kinds of target and issuer there are; a vendor's code is imported when it is first needed."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from providers.base import Target, TargetConfig
from providers.errors import MissingExtra, NotFound
from providers.issuing import Issuer, IssuerConfig
from providers.keeping import Keeper, KeeperConfig
from providers.plugins import plugin_class, solver_plugin
from providers.secret import Secret
from providers.solving import DnsSolver, HttpSolver, SolverConfig
from schemas.base import Model
from schemas.secrets import SecretReference
from schemas.solvers import Dns01, Http01

TARGETS = {
    "local-directory": "providers.local.directory:LocalDirectoryTarget",
    "aws-acm": "providers.aws.acm:AcmTarget",
    "azure-key-vault": "providers.azure.vault:KeyVaultTarget",
    "gcp-certificate-manager": "providers.gcp.manager:CertificateManagerTarget",
}
"""Where the class of each built-in kind is, as `module:Class`."""
ISSUERS = {
    "aws-private-ca": "providers.aws.private_ca:PrivateCaIssuer",
    "acme": "providers.acme.issuer:AcmeIssuer",
    "vault": "providers.vault.issuer:VaultIssuer",
}
"""Where the class of each built-in kind of issuer is; what a place issues by itself has none."""
DNS_SOLVERS = {
    "rfc2136": "providers.solvers.rfc2136:Rfc2136Solver",
    "lexicon": "providers.solvers.lexicon:LexiconSolver",
    "route53": "providers.aws.route53:Route53Solver",
    "azureDNS": "providers.azure.dns:AzureDnsSolver",
    "cloudDNS": "providers.gcp.dns:CloudDnsSolver",
}
"""Where the class of each kind of DNS is that ACME challenges are answered by."""
KEEPERS = {"vault": "providers.vault.keeper:VaultKeeper"}
"""Where the class of each kind of place is that makes and keeps CA keys by itself."""
HTTP_SOLVERS = {
    "webroot": "providers.solvers.webroot:WebrootSolver",
    "standalone": "providers.solvers.standalone:StandaloneSolver",
}
"""Where the class of each way is by which ACME challenges are answered by HTTP."""
EXTRAS = {
    "aws-acm": "aws",
    "aws-private-ca": "aws",
    "azure-key-vault": "azure",
    "gcp-certificate-manager": "gcp",
    "acme": "acme",
    "vault": "vault",
    "rfc2136": "acme",
    "lexicon": "lexicon",
    "route53": "aws",
    "azureDNS": "azure",
    "cloudDNS": "gcp",
}
"""The optional dependencies that a kind needs."""


def target_class(kind: str) -> type[Target]:
    """Import the class of a kind of target; raises `NotFound` for an unknown kind, `MissingExtra`."""
    if "/" in kind:
        return plugin_class(kind)
    if kind not in TARGETS:
        raise NotFound(f"there is no kind of target called {kind}; known: {', '.join(TARGETS)}")
    found: type[Target] = _imported(TARGETS[kind], kind, "a target")
    return found


def issuer_class(kind: str) -> type[Issuer]:
    """Import the class of a kind of issuer; raises `NotFound` for an unknown kind, `MissingExtra`."""
    if kind not in ISSUERS:
        raise NotFound(f"there is no kind of issuer called {kind}; known: {', '.join(ISSUERS)}")
    found: type[Issuer] = _imported(ISSUERS[kind], kind, "an issuer")
    return found


def dns_solver_class(kind: str) -> type[DnsSolver]:
    """Import the class of a kind of DNS; raises `NotFound` for an unknown kind, `MissingExtra`."""
    if "/" in kind:
        return solver_plugin(kind)
    if kind not in DNS_SOLVERS:
        raise NotFound(f"there is no kind of DNS called {kind}; known: {', '.join(DNS_SOLVERS)}")
    found: type[DnsSolver] = _imported(DNS_SOLVERS[kind], kind, "a solver")
    return found


def http_solver_class(kind: str) -> type[HttpSolver]:
    """Import the class of a way to answer by HTTP; raises `NotFound` for an unknown one."""
    if kind not in HTTP_SOLVERS:
        raise NotFound(f"there is no way to answer called {kind}; known: {', '.join(HTTP_SOLVERS)}")
    found: type[HttpSolver] = _imported(HTTP_SOLVERS[kind], kind, "a solver")
    return found


def _imported(where: str, kind: str, what: str) -> Any:
    module, _, name = where.partition(":")
    try:
        return getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        if kind not in EXTRAS or (missing.name or "").startswith("providers"):
            raise
        raise MissingExtra(EXTRAS[kind], f"{what} of kind {kind}") from None


def make_target(config: TargetConfig) -> Target:
    """Make a target; reads nothing and connects nowhere."""
    return target_class(config.spec.kind).from_config(config)


def make_issuer(config: IssuerConfig) -> Issuer:
    """Make an issuer; reads nothing and connects nowhere."""
    return issuer_class(config.spec.kind).from_config(config)


def make_dns_solver(dns01: Dns01, secret: Callable[[SecretReference], Secret]) -> DnsSolver:
    """Make what writes a solver's TXT records; reads nothing and connects nowhere."""
    settings: Model = dns01.settings
    if (plugin := dns01.plugin) is not None:
        # `validate` has told of what is wrong with these at their lines
        model = solver_plugin(plugin.kind).config_model
        settings = model.model_validate(plugin.settings, by_alias=True, by_name=False)
    return dns_solver_class(dns01.kind).from_config(SolverConfig(settings, secret))


def make_http_solver(http01: Http01) -> HttpSolver:
    """Make what has a challenge's file served; reads nothing and connects nowhere."""
    return http_solver_class(http01.kind).from_config(SolverConfig(http01.settings))


def make_keeper(config: KeeperConfig) -> Keeper:
    """Make who keeps a CA key; reads nothing and connects nowhere. Raises `MissingExtra`."""
    kind = config.custody.reference
    found: type[Keeper] = _imported(KEEPERS[kind], kind, "a CA key")
    return found.from_config(config)
