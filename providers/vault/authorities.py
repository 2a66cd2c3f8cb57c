"""CAs of ours that a mount signs: by one call, known by their serial, read back by it.

https://developer.hashicorp.com/vault/api-docs/secret/pki#sign-intermediate and
https://openbao.org/api-docs/secret/pki/#sign-intermediate. Names, key usage and name constraints are
copied from the signing request; `permitted_dns_domains` would leave every other kind of name open.
"""

from datetime import UTC

from providers import x509
from providers.failpoints import reach
from providers.issuing import AuthorityOrder, Issued
from providers.vault.mount import Mount, certificates, colons, signed
from providers.x509.ordering import request_pem


def issue_authority(mount: Mount, order: AuthorityOrder) -> Issued:
    """Let the mount's CA sign, and make the serial known; with a serial, read back what was signed."""
    if order.resume is not None:
        return mount.issued(order.resume)
    below = f"issuer/{mount.issuer}" if mount.issuer else "root"
    answer = mount.session.write(f"{mount.path}/{below}/sign-intermediate", _asked(mount, order))
    reach("vault.signed")
    issued = signed(answer)
    order.checkpoint(colons(x509.facts(issued.certificate).serial))
    reach("vault.noted")
    return issued


def _asked(mount: Mount, order: AuthorityOrder) -> dict[str, object]:
    """Return what is asked for; a life that ends with the CA's own, which Vault lets a CA outlive."""
    told = mount.session.read(f"{mount.path}/issuer/{mount.issuer or 'default'}/json")
    above = certificates(told.get("certificate"), told.get("ca_chain"))
    end = min(order.not_after, *(x509.facts(der).not_after for der in above))
    length = order.request.path_length
    return {
        "csr": request_pem(order.csr).decode(),
        "use_csr_values": True,
        "format": "pem",
        "not_after": end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        **({} if length is None else {"max_path_length": length}),
    }
