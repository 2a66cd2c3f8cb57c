"""What a step is given and no log may show, registered with the runner before anything else is done."""

from collections.abc import Iterator, Mapping

from reconciler.github.workflow import Workflow

_SECRET = (
    "SOPS_AGE_KEY",
    "SOPS_AGE_SSH_PRIVATE_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "VAULT_TOKEN",
)
"""Variables that hold a secret itself; what names a file or a command is none."""
_SHORTEST = 8
"""Characters; the runner would show `***` in the place of every word like a shorter one."""


def mask(workflow: Workflow, environ: Mapping[str, str]) -> None:
    """Ask the runner to show none of the secrets that this step was given."""
    for secret in secrets(environ):
        workflow.mask(secret)


def secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of every secret; remarks beside an age key are none."""
    for name in _SECRET:
        for line in environ.get(name, "").splitlines():
            told = line.strip()
            if len(told) >= _SHORTEST and not told.startswith("#"):
                yield told
