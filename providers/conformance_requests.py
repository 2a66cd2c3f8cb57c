"""What the conformance suites install: requests with labels of an owner of their own."""

from providers.base import NAME, OWNER, SPEC, Bundle, Installed, InstallRequest

OURS = "conformance_0123456789abcdef"


def labels(name: str) -> dict[str, str]:
    """Return the three labels of an object."""
    return {OWNER: OURS, NAME: name, SPEC: "0" * 32}


def request(name: str, bundle: Bundle, predecessor: Installed | None = None) -> InstallRequest:
    """Return a request with certform's labels."""
    return InstallRequest(name, bundle, labels(name), predecessor=predecessor)
