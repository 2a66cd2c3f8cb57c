"""Name constraints survive the way into a certificate and back."""

from itertools import product

import pytest

from providers.x509.subtrees import decode_constraints, encode_constraints
from schemas.authority import NameConstraints, NameForms

FORMS = tuple(
    NameForms(dns_domains=dns, ip_ranges=ip, uri_domains=uri, email_domains=email)
    for dns, ip, uri, email in product(
        ((), ("example.com", "example.org")),
        ((), ("10.0.0.0/8",), ("10.0.0.0/8", "2001:db8::/32")),
        ((), ("example.com",)),
        ((), ("example.com", "example.net")),
    )
)
EVERY_ADDRESS = {"0.0.0.0/0", "::/0"}


@pytest.mark.parametrize("permitted", FORMS, ids=range(len(FORMS)))
def test_what_is_said_is_read_back(permitted: NameForms) -> None:
    excluded = NameForms(dns_domains=("secret.example.com",), email_domains=("x.example.com",))
    for constraints in (
        NameConstraints(permitted=permitted, excluded=excluded),
        NameConstraints(permitted=permitted),
    ):
        extension = encode_constraints(constraints)
        if extension is None:
            assert constraints == NameConstraints()
            continue
        read = decode_constraints(extension)
        assert read.permitted == permitted
        # the ranges that shut a kind of address are read as what they are
        ranges = set(read.excluded.ip_ranges) - set(constraints.excluded.ip_ranges)
        assert ranges <= EVERY_ADDRESS
        assert read.excluded.dns_domains == constraints.excluded.dns_domains
        assert read.excluded.email_domains == constraints.excluded.email_domains


def test_what_only_excludes_shuts_nothing_else() -> None:
    only = NameConstraints(excluded=NameForms(dns_domains=("example.com",)))
    extension = encode_constraints(only)
    assert extension is not None
    assert extension.permitted_subtrees is None
    assert [name.value for name in extension.excluded_subtrees or ()] == ["example.com"]


def test_no_subtree_is_written_twice() -> None:
    all_of_ipv6 = NameConstraints(
        permitted=NameForms(ip_ranges=("10.0.0.0/8",)), excluded=NameForms(ip_ranges=("::/0",))
    )
    extension = encode_constraints(all_of_ipv6)
    assert extension is not None
    excluded = extension.excluded_subtrees
    assert excluded is not None
    assert len(excluded) == len(set(excluded))
