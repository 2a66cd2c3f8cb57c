"""The ways to log in, each what an auth method of Vault takes: what comes of it is a token."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from providers.errors import Ambiguous, Denied
from providers.secret import Secret
from providers.vault.actions import identity_token
from schemas.secrets import SecretReference
from schemas.vault import AppRole, Jwt, Kubernetes, VaultAuth

VARIABLES = ("VAULT_TOKEN", "BAO_TOKEN")
"""Where a token is looked for when the documents say nothing of how to log in."""
_LONGEST = 1 << 16
Open = Callable[[SecretReference], Secret]


def is_lasting(auth: VaultAuth) -> bool:
    """Whether the token is one that was made elsewhere: no login brings another."""
    return not (auth.app_role or auth.kubernetes or auth.jwt)


def token(client: Any, auth: VaultAuth, secret: Open) -> Secret:
    """Return a token, and log in for it where need be; raises what hvac's client raises, and `Denied`."""
    if auth.token_secret_ref is not None:
        found = secret(auth.token_secret_ref).reveal()
        return one_line(found, f"the token in {auth.token_secret_ref.name}")
    if auth.app_role is not None:
        return _by_app_role(client, auth.app_role, secret)
    if auth.kubernetes is not None:
        return _by_service_account(client, auth.kubernetes)
    if auth.jwt is not None:
        return _by_jwt(client, auth.jwt)
    return _of_environment()


def _of_environment() -> Secret:
    for name in VARIABLES:
        if value := os.environ.get(name, ""):
            return one_line(value.encode("utf-8", "surrogateescape"), name)
    raise Denied(
        f"there is no token for Vault: set {' or '.join(VARIABLES)}, or say under `auth` how to log in"
    )


def _by_app_role(client: Any, how: AppRole, secret: Open) -> Secret:
    named = f"the secret id in {how.secret_ref.name}"
    secret_id = one_line(secret(how.secret_ref).reveal(), named).reveal().decode()
    return _given(client.auth.approle.login(how.role_id, secret_id, mount_point=how.path))


def _by_service_account(client: Any, how: Kubernetes) -> Secret:
    jwt = of_file(how.token_file).reveal().decode()
    return _given(client.auth.kubernetes.login(how.role, jwt, mount_point=how.path))


def _by_jwt(client: Any, how: Jwt) -> Secret:
    found = of_file(how.token_file) if how.token_file else identity_token(how.audience)
    jwt = one_line(found.reveal(), "the token of this job").reveal().decode()
    return _given(client.auth.jwt.jwt_login(how.role, jwt, path=how.path))


def _given(answer: Any) -> Secret:
    """Return the token of the answer to a login."""
    told = answer.get("auth") if isinstance(answer, dict) else None
    given = told.get("client_token") if isinstance(told, dict) else None
    if not isinstance(given, str) or not given:
        raise Ambiguous("a login was answered without a token")
    return one_line(given.encode(), "the token of a login")


def of_file(path: str) -> Secret:
    """Return the token in a file of this host; raises `Denied`. Kubernetes keeps it behind a link."""
    try:
        with Path(path).open("rb") as file:
            found = file.read(_LONGEST)
    except OSError as why:
        raise Denied(f"{path}, which has the token to log in with: {why.strerror}") from None
    return one_line(found, f"the token in {path}")


def one_line(value: bytes, what: str) -> Secret:
    """Return a secret without the line break after it; raises `Denied` for what can be sent in no header."""
    text = value.strip()
    if not text or not all(0x21 <= octet <= 0x7E for octet in text):
        raise Denied(f"{what} has to be one line of printable ASCII, without spaces")
    return Secret(text)
