"""The kinds of target there are; a vendor's code is imported when its first target is made."""

from importlib import import_module

from providers.base import Target, TargetConfig
from providers.errors import MissingExtra, NotFound

TARGETS = {
    "local-directory": "providers.local.directory:LocalDirectoryTarget",
    "aws-acm": "providers.aws.acm:AcmTarget",
    "azure-key-vault": "providers.azure.vault:KeyVaultTarget",
    "gcp-certificate-manager": "providers.gcp.manager:CertificateManagerTarget",
}
"""Where the class of each built-in kind is, as `module:Class`."""
EXTRAS = {"aws-acm": "aws", "azure-key-vault": "azure", "gcp-certificate-manager": "gcp"}
"""The optional dependencies that a kind needs."""


def target_class(kind: str) -> type[Target]:
    """Import the class of a kind of target; raises `NotFound` for an unknown kind, `MissingExtra`."""
    if kind not in TARGETS:
        raise NotFound(f"there is no kind of target called {kind}; known: {', '.join(TARGETS)}")
    module, _, name = TARGETS[kind].partition(":")
    try:
        found: type[Target] = getattr(import_module(module), name)
    except ModuleNotFoundError as missing:
        if kind not in EXTRAS or (missing.name or "").startswith("providers"):
            raise
        raise MissingExtra(EXTRAS[kind], f"a target of kind {kind}") from None
    return found


def make_target(config: TargetConfig) -> Target:
    """Make a target; reads nothing and connects nowhere."""
    return target_class(config.spec.kind).from_config(config)
