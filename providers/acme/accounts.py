"""The account at a CA (RFC 8555 section 7.3): its key comes out of a sops file, and is opened once a run."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from acme import messages
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from josepy.errors import Error
from josepy.jwa import ES256, ES384, RS256
from josepy.jwk import JWK, JWKEC, JWKRSA

from providers.acme.errors import BindingRequired, NoAccount, sparing_the_order
from providers.acme.network import Network, Signer
from providers.errors import Conflict, Denied
from providers.failpoints import reach
from providers.secret import Secret
from providers.x509.keys import decode_key_file
from schemas.acme import Acme, ExternalAccountBinding
from schemas.secrets import SecretReference

Opener = Callable[[SecretReference], Secret]
_KINDS = "an account's key is ECDSA P-256 or P-384, or RSA of 2048 bits or more, as PEM or JWK"
_CURVES: Mapping[str, Any] = {"secp256r1": ES256, "secp384r1": ES384}


def signer_for(key: Any, account: str | None = None) -> Signer:
    """Return who signs with a private key; raises ValueError for a kind that ACME CAs do not take."""
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return Signer(JWKRSA(key=key), RS256, account)
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in _CURVES:
        return Signer(JWKEC(key=key), _CURVES[key.curve.name], account)
    raise ValueError(_KINDS)


def read_key(secret: Secret, reference: SecretReference) -> Signer:
    """Read an account's key; `Denied`, which tells nothing of it, for what is none."""
    try:
        if secret.reveal().lstrip().startswith(b"{"):
            return signer_for(_jwk_key(secret))
        return signer_for(decode_key_file(secret))
    except ValueError as error:
        said = f"privateKeySecretRef: {reference.key} in {reference.name}: {error}"
    raise Denied(said)


def _jwk_key(secret: Secret) -> Any:
    """Return the private key in a JWK (RFC 7517)."""
    try:
        jwk = JWK.from_json(json.loads(secret.reveal()))
        return getattr(getattr(jwk, "key", None), "_wrapped", None)  # josepy wraps it to compare it
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, Error):
        raise ValueError("it holds no JWK with a private key") from None


def log_in(network: Network, settings: Acme, secret: Opener) -> Signer:
    """Return who signs for the account, which is looked for, and made where the CA has none of this key."""
    with sparing_the_order():
        reference = settings.private_key_secret_ref
        signer = read_key(secret(reference), reference)
        try:
            url = _ask(network, messages.NewRegistration(only_return_existing=True), signer)
        except (NoAccount, BindingRequired):  # some CAs want the binding first
            url = _register(network, settings, signer, secret)
        reach("acme.account")
    return Signer(signer.key, signer.algorithm, url)


def _register(network: Network, settings: Acme, signer: Signer, secret: Opener) -> str:
    binding = settings.external_account_binding
    meta = network.directory.meta
    if meta.external_account_required and binding is None:
        raise Denied(
            "the CA takes accounts that it knows already alone: write `externalAccountBinding` into the"
            " Issuer, with the key ID and the HMAC key that it gives"
        )
    contact = (f"mailto:{settings.email}",) if settings.email else ()
    wanted = messages.NewRegistration(
        contact=contact,
        terms_of_service_agreed=True,
        external_account_binding=_bound(network, signer, binding, secret) if binding else None,
    )
    return _ask(network, wanted, signer)


def _bound(
    network: Network, signer: Signer, binding: ExternalAccountBinding, secret: Opener
) -> dict[str, Any]:
    """Return what ties the account to one that the CA knows (RFC 8555 section 7.3.4)."""
    reference = binding.key_secret_ref
    hmac = secret(reference).reveal().strip().rstrip(b"=")
    try:
        return messages.ExternalAccountBinding.from_data(
            account_public_key=signer.key.public_key(),
            kid=binding.key_id,
            hmac_key=hmac.decode("ascii"),
            directory=messages.Directory({"newAccount": network.directory.new_account}),
        )
    except (ValueError, Error):
        said = f"externalAccountBinding: {reference.key} in {reference.name} is not base64url"
    raise Denied(said)


def _ask(network: Network, wanted: messages.NewRegistration, signer: Signer) -> str:
    """Ask for the account of a key: to ask twice is to ask once."""
    answer = network.settle(network.directory.new_account, wanted, signer)
    url = answer.headers.get("Location", "")
    if not url.startswith("https://"):
        raise Conflict("the CA does not say what its account is called (RFC 8555 section 7.3)")
    return network.own(url)
