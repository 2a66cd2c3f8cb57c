"""A Forge that speaks with the emulated GitHub."""

from github_emulator import GitHub

from providers.secret import Secret
from reconciler.github.forge import Forge
from reconciler.github.rest import Patience, Rest
from reconciler.github.run import PullRequest, Run


def run_of(github: GitHub, pull: PullRequest | None = None) -> Run:
    """Return a run in the emulated repository."""
    return Run(
        event="pull_request" if pull else "push",
        repository=github.name,
        sha=github.tip(),
        ref=f"refs/pull/{pull.number}/merge" if pull else "refs/heads/main",
        actor="someone",
        id="4711",
        attempt="1",
        server_url=github.wire.url,
        api_url=github.api_url,
        graphql_url=github.graphql_url,
        pull=pull,
    )


def forge_at(github: GitHub, token: str = "") -> Forge:
    """Return the repository as a token sees it, by default one that may do everything certform does."""
    return Forge.at(run_of(github), Secret((token or github.token()).encode()))


def hasty(github: GitHub, token: str = "", patience: float = 0.2) -> Forge:
    """Return the same, but with so many seconds to wait altogether."""
    secret, left = Secret((token or github.token()).encode()), Patience(patience)
    addresses = (github.api_url, github.graphql_url)
    return Forge(github.name, *(Rest(each, secret, left) for each in addresses))
