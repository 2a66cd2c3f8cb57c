"""Keys that are made inside a target and never leave it: asked for there, and proved before they count."""

from base64 import b64encode

from providers.abilities import KeyMaker, KeyRequest
from providers.errors import Conflict
from providers.failpoints import reach
from providers.x509.signing_request import requested_key
from reconciler.apply.session import Impossible, Session
from reconciler.state import DesiredCertificate


def made_key(session: Session, desired: DesiredCertificate) -> str:
    """Return the public half of the key that waits in a certificate's one target, made there if need be.

    As a record holds it. Raises as `made_request` does.
    """
    return made_request(session, desired)[1]


def made_request(session: Session, desired: DesiredCertificate) -> tuple[bytes, str]:
    """Return the signing request (DER) for that key, and its public half.

    Raises `Impossible` where no such key can be had, and what the target raises.
    """
    if len(desired.installs) != 1:
        raise Impossible("a key that is made in its target can be in one place only")
    (install,) = desired.installs
    target = session.targets.get(install.target)
    if not isinstance(target, KeyMaker):
        raise Impossible(f"{install.target} cannot be asked to make a key from here")
    labels = session.world.labels(desired, desired.digest, install.target)
    signed = target.make_key(KeyRequest(install.name, desired.request, labels))
    reach("leaf.key_made")
    try:
        kind, spki = requested_key(signed)
    except ValueError as why:
        raise Conflict(f"the signing request of {install.target} is no good: {why}") from None
    if kind != desired.request.key:
        raise Conflict(f"{install.target} made a key of type {kind}, not {desired.request.key}")
    return signed, b64encode(spki).decode()
