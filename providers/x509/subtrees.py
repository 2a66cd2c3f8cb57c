"""Name constraints in DER (RFC 5280 section 4.2.1.10), and back.

A domain stands for itself and everything below it: one DNS subtree, but two of e-mail and of URI
(`x` is the host alone, `.x` what is below it). Constraints that permit anything are closed: every
kind that is not listed is shut, each in the form that was found to work.

| kind   | shut by                             | OpenSSL 3.0 | GnuTLS 3.7 | cryptography 50 |
| ------ | ----------------------------------- | ----------- | ---------- | --------------- |
| DNS    | excluded, empty                     | refuses     | refuses    | refuses         |
| IP     | excluded 0.0.0.0/0 and ::/0         | refuses     | refuses    | refuses         |
| e-mail | permitted, the host `invalid` alone | refuses     | refuses    | refuses         |
| URI    | permitted and excluded, `invalid`   | refuses     | refuses    | refuses         |

`invalid` is the top-level domain that never exists (RFC 2606). An excluded e-mail subtree `.` makes
GnuTLS refuse every certificate, OpenSSL reads an excluded URI of `.` as a host, and Go (so Vault and
OpenBao) reads no certificate with one, which is why neither kind is shut by exclusion alone. A permitted
IPv4 range leaves IPv6 open in GnuTLS unless it is excluded. URIs: GnuTLS looks at no permitted subtree
and refuses any URI when one is excluded; cryptography refuses any URI below a CA with URI subtrees; only
OpenSSL compares. A directory name is not constrained, and OpenSSL reads a common name with a dot as a
DNS name.
"""

import ipaddress
from collections.abc import Collection, Iterable, Iterator

from cryptography import x509

from schemas.authority import NameConstraints, NameForms

_NOWHERE = "invalid"
_ALL_IPV4 = ipaddress.ip_network("0.0.0.0/0")
_ALL_IPV6 = ipaddress.ip_network("::/0")


def encode_constraints(constraints: NameConstraints) -> x509.NameConstraints | None:
    """Return the extension that says what a CA may name; None when nothing is constrained."""
    permitted = list(_subtrees(constraints.permitted))
    excluded = list(_subtrees(constraints.excluded))
    if permitted:
        permitted += _impossible(constraints.permitted)
        excluded += _shut(constraints.permitted)
    if not permitted and not excluded:
        return None
    return x509.NameConstraints(permitted or None, list(dict.fromkeys(excluded)) or None)


def decode_constraints(extension: x509.NameConstraints) -> NameConstraints:
    """Return what an extension says in our one meaning; raises ValueError for forms that it cannot have.

    In what others wrote, a domain with a dot before it, and one without what is below it, count as the
    domain and everything below: `unlike` names them.
    """
    return NameConstraints(
        permitted=_forms(extension.permitted_subtrees or ()),
        excluded=_forms(extension.excluded_subtrees or ()),
    )


def unlike(extension: x509.NameConstraints) -> tuple[str, ...]:
    """Return the names in an extension of others that verifiers take more narrowly than certform does."""
    listed = (*(extension.permitted_subtrees or ()), *(extension.excluded_subtrees or ()))
    texts = {(type(name), str(name.value)) for name in listed}
    return tuple(
        text
        for kind, text in sorted(texts, key=str)
        if text.strip(".") and _half(kind, text, texts)
    )


def _half(kind: type, text: str, texts: Collection[tuple[type, str]]) -> bool:
    """Whether a domain stands without what is below it, or only for that."""
    if kind is x509.DNSName:
        return text.startswith(".")
    other = text.removeprefix(".") if text.startswith(".") else f".{text}"
    named = kind in (x509.RFC822Name, x509.UniformResourceIdentifier) and text != _NOWHERE
    return named and (kind, other) not in texts


def _subtrees(forms: NameForms) -> Iterator[x509.GeneralName]:
    yield from map(x509.DNSName, forms.dns_domains)
    for ip_range in forms.ip_ranges:
        yield x509.IPAddress(ipaddress.ip_network(ip_range))
    for domain in forms.uri_domains:
        yield x509.UniformResourceIdentifier(domain)
        yield x509.UniformResourceIdentifier(f".{domain}")
    for domain in forms.email_domains:
        yield x509.RFC822Name(domain)
        yield x509.RFC822Name(f".{domain}")


def _impossible(permitted: NameForms) -> Iterator[x509.GeneralName]:
    if not permitted.uri_domains:
        yield x509.UniformResourceIdentifier(_NOWHERE)
    if not permitted.email_domains:
        yield x509.RFC822Name(_NOWHERE)


def _shut(permitted: NameForms) -> Iterator[x509.GeneralName]:
    if not permitted.dns_domains:
        yield x509.DNSName("")
    versions = {ipaddress.ip_network(ip_range).version for ip_range in permitted.ip_ranges}
    if 4 not in versions:
        yield x509.IPAddress(_ALL_IPV4)
    if 6 not in versions:
        yield x509.IPAddress(_ALL_IPV6)
    if not permitted.uri_domains:
        yield x509.UniformResourceIdentifier(_NOWHERE)


def _forms(subtrees: Iterable[x509.GeneralName]) -> NameForms:
    dns, ip, uri, email = [], [], [], []
    for name in subtrees:
        if isinstance(name, x509.IPAddress):
            ip.append(str(name.value))
        elif isinstance(name, x509.DNSName):
            dns.append(name.value.removeprefix("."))
        elif isinstance(name, x509.UniformResourceIdentifier):
            uri.append(name.value.removeprefix("."))
        elif isinstance(name, x509.RFC822Name):
            email.append(name.value.removeprefix("."))
        else:
            raise ValueError("name constraints of a form that certform cannot check")  # noqa: TRY004 - a value, not a type
    return NameForms(
        dns_domains=_domains(dns),
        ip_ranges=tuple(ip),
        uri_domains=_domains(uri),
        email_domains=_domains(email),
    )


def _domains(values: Iterable[str]) -> tuple[str, ...]:
    """Return each domain once, without the forms that shut a kind: permitting nothing else shuts it too."""
    return tuple(value for value in dict.fromkeys(values) if value not in ("", _NOWHERE))
