"""A run of a workflow as the runner tells of it, on a pull request of the repository's own."""

from reconciler.github.run import PullRequest, Run

RUN = Run(
    event="pull_request",
    repository="example/certificates",
    sha="a" * 40,
    ref="refs/pull/7/merge",
    actor="ann",
    id="8123",
    attempt="1",
    server_url="https://github.com",
    api_url="https://api.github.com",
    graphql_url="https://api.github.com/graphql",
    pull=PullRequest(number=7, head="b" * 40, base="c" * 40, onto="main", foreign=False),
)
