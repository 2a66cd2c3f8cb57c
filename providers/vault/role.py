"""What a role decides, and what to change in it where it decides otherwise than was asked."""

from collections.abc import Collection

from providers.errors import Rejected
from providers.x509 import facts
from providers.x509.content import content
from schemas.certificate import Usage

_FLAGS = {
    Usage.SERVER_AUTH: "server_flag=true",
    Usage.CLIENT_AUTH: "client_flag=true",
    Usage.CODE_SIGNING: "code_signing_flag=true",
    Usage.EMAIL_PROTECTION: "email_protection_flag=true",
    Usage.TIMESTAMPING: "ext_key_usage=TimeStamping",
}
"""https://openbao.org/api-docs/secret/pki/#create-update-role."""
_HINTS = {
    "common_name field is required": "set require_cn=false in {role}, or give it a commonName",
    "requires keys of type": "set key_type=any in {role}",
    "requires a minimum of": "set key_type=any in {role}",
    "beyond the expiration of the CA": "ask for a shorter duration, or renew the CA in Vault",
    "not allowed by this role": "have {role} allow it",
    "not valid for this role": "have {role} allow it",
    "not allowed in this role": "have {role} allow it",
}


def check_usages(certificate: bytes, wanted: Collection[Usage], role: str) -> None:
    """Raise `Rejected`, naming what to set in the role, where a certificate (DER) lacks usages.

    Of what no role makes, a CA or what cannot be read, `providers.issued` tells.
    """
    try:
        given = content(certificate).usages
        is_leaf = not facts(certificate).is_ca
    except ValueError:
        return
    missing = [use for use in wanted if use not in given]
    if missing and is_leaf:
        raise Rejected(
            f"the role made a certificate that is not for {', '.join(missing)}: set"
            f" {', '.join(_FLAGS[use] for use in missing)} in {role}"
        )


def explained(why: Rejected, role: str) -> Rejected:
    """Return a refusal of a role with what to do about it, where that is known."""
    hint = next((hint for words, hint in _HINTS.items() if words in str(why)), "")
    return Rejected(f"{why}: {hint.format(role=role)}" if hint else str(why))
