"""What comes with a certificate: the CA's chain, or the preferred one (RFC 8555 section 7.4.2)."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from urllib.parse import urljoin

from cryptography import x509 as parsed
from cryptography.x509.oid import NameOID
from requests.utils import parse_header_links

from providers import x509
from providers.acme.network import Network, Signer
from providers.acme.transport import Answer
from providers.errors import Conflict, Denied, NotFound, Rejected
from providers.issued import sorted_chain
from providers.issuing import Issued

PEM_CHAIN = "application/pem-certificate-chain"
MOST_CHAINS = 8
_MOST_CERTIFICATES = 10
Chain = tuple[bytes, ...]


def download(network: Network, signer: Signer, url: str, preferred: str | None) -> Issued:
    """Return a certificate with the chain whose topmost issuer is called `preferred`, else the default."""
    answer = network.read(url, signer, PEM_CHAIN)
    own = _certificates(answer)
    if preferred is None or is_under(own, preferred):
        return _issued(own)
    for chain in _others(network, signer, answer):
        if chain[0] == own[0] and is_under(chain, preferred):
            return _issued(chain)
    return _issued(own, f"the CA has no chain up to {preferred}, so its own is taken")


def _issued(found: Chain, *remarks: str) -> Issued:
    chain, anchors = sorted_chain(found[1:])
    return Issued(found[0], chain, anchors, remarks)


def _others(network: Network, signer: Signer, answer: Answer) -> Iterator[Chain]:
    """Yield the CA's other chains; one that cannot be had is none, for the certificate is there."""
    for link in islice(_alternates(answer), MOST_CHAINS):
        with suppress(Rejected, Denied, NotFound, Conflict):
            yield _certificates(network.read(link, signer, PEM_CHAIN))


def _certificates(answer: Answer) -> Chain:
    """Return a chain, the certificate first; raises `Rejected` for what is none."""
    try:
        found = x509.split_pem(answer.body)[: _MOST_CERTIFICATES + 1]
        # the names of a certificate are not read before they are asked for
        named = [(told.subject, told.issuer) for told in map(x509.facts, found)]
    except ValueError:
        named = []
    if not 0 < len(named) <= _MOST_CERTIFICATES:
        raise Rejected(f"the CA returned no chain of 1 to {_MOST_CERTIFICATES} certificates in PEM")
    return found


def is_under(chain: Chain, name: str) -> bool:
    """Whether the issuer of a chain's last certificate has this common name."""
    issuer = parsed.load_der_x509_certificate(chain[-1]).issuer
    return name in (value.value for value in issuer.get_attributes_for_oid(NameOID.COMMON_NAME))


def _alternates(answer: Answer) -> Iterator[str]:
    """Yield where the CA has other chains: Link headers with rel="alternate"."""
    for link in parse_header_links(answer.headers.get("Link", "")):
        if link.get("rel") == "alternate" and "url" in link:
            with suppress(ValueError):  # no address at all
                yield urljoin(answer.url, link["url"])
