"""The kinds of target there are; a vendor's code is imported when its first target is made."""

from importlib import import_module

from providers.base import Target, TargetConfig
from providers.errors import NotFound

TARGETS = {"local-directory": "providers.local.directory:LocalDirectoryTarget"}
"""Where the class of each built-in kind is, as `module:Class`."""


def target_class(kind: str) -> type[Target]:
    """Import the class of a kind of target; raises `NotFound` for an unknown kind."""
    if kind not in TARGETS:
        raise NotFound(f"there is no kind of target called {kind}; known: {', '.join(TARGETS)}")
    module, _, name = TARGETS[kind].partition(":")
    found: type[Target] = getattr(import_module(module), name)
    return found


def make_target(config: TargetConfig) -> Target:
    """Make a target; reads nothing and connects nowhere."""
    return target_class(config.spec.kind).from_config(config)
