"""Name constraints in one meaning for every kind of name: the domain and below."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.constraints import violations, widenings
from schemas.authority import NameConstraints, NameForms

Forms = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Names:
    common_name: str | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()


def named(field: str, name: str) -> Names:
    """Names of which there is one."""
    value: Any = name if field == "common_name" else (name,)
    return Names(**{field: value})


def constraints(permitted: Forms | None = None, excluded: Forms | None = None) -> NameConstraints:
    return NameConstraints(
        permitted=NameForms(**(permitted or {})), excluded=NameForms(**(excluded or {}))
    )


DNS = {"dns_domains": ("a.example",)}
IP = {"ip_ranges": ("10.0.0.0/8", "2001:db8::/32")}
URI = {"uri_domains": ("a.example",)}
EMAIL = {"email_domains": ("a.example",)}

PERMITTED = [
    ("dns_names", "a.example", DNS, True),
    ("dns_names", "x.y.a.example", DNS, True),
    ("dns_names", "*.a.example", DNS, True),
    ("dns_names", "ba.example", DNS, False),
    ("dns_names", "example", DNS, False),
    ("dns_names", "*.example", DNS, False),
    ("ip_addresses", "10.1.2.3", IP, True),
    ("ip_addresses", "2001:db8::1", IP, True),
    ("ip_addresses", "11.1.2.3", IP, False),
    ("ip_addresses", "::ffff:10.1.2.3", IP, False),
    ("uris", "spiffe://a.example/x", URI, True),
    ("uris", "https://X.A.example:8443/x", URI, True),
    ("uris", "https://a.example@evil.example/", URI, False),
    ("uris", "https://evil.example/a.example", URI, False),
    ("uris", "https://evil.example?@a.example/", URI, False),
    ("uris", "https://10.0.0.1/", URI, False),
    ("email_addresses", "me@a.example", EMAIL, True),
    ("email_addresses", "me@x.a.example", EMAIL, True),
    ("email_addresses", "a.example@evil.example", EMAIL, False),
    ("common_name", "web.a.example", DNS, True),
    ("common_name", "web.b.example", DNS, False),
    ("common_name", "WEB.B.EXAMPLE", DNS, False),
    ("common_name", "10.0.0.1", DNS, False),
    ("common_name", "10.0.0.1", IP, True),
    ("common_name", "Web Server", DNS, True),
    ("common_name", "orders", DNS, True),
]


@pytest.mark.parametrize(("field", "name", "permitted", "fine"), PERMITTED)
def test_a_name_is_permitted_at_the_domain_and_below(
    field: str, name: str, permitted: Forms, fine: bool
) -> None:
    assert (violations(named(field, name), constraints(permitted)) == ()) is fine


@pytest.mark.parametrize("permitted", [DNS, IP, URI, EMAIL])
@pytest.mark.parametrize(
    ("field", "name", "kind"),
    [
        ("dns_names", "a.example", "dns_domains"),
        ("ip_addresses", "10.0.0.1", "ip_ranges"),
        ("uris", "x://a.example", "uri_domains"),
        ("email_addresses", "m@a.example", "email_domains"),
    ],
)
def test_a_kind_that_is_not_listed_is_shut_once_any_is(
    permitted: Forms, field: str, name: str, kind: str
) -> None:
    shut = violations(named(field, name), constraints(permitted))
    assert (shut == ()) is (kind in permitted)


EXCLUDED = [
    ("dns_names", "a.example", DNS, False),
    ("dns_names", "x.a.example", DNS, False),
    ("dns_names", "b.example", DNS, True),
    ("dns_names", "*.example", DNS, False),
    ("dns_names", "*.b.example", DNS, True),
    ("dns_names", "*.example", {"dns_domains": ("x.a.example",)}, True),
    ("ip_addresses", "10.9.9.9", IP, False),
    ("ip_addresses", "192.0.2.1", IP, True),
    ("uris", "x://a.example/", URI, False),
    ("uris", "x://10.0.0.1/", URI, True),
    ("email_addresses", "m@sub.a.example", EMAIL, False),
]


@pytest.mark.parametrize(("field", "name", "excluded", "fine"), EXCLUDED)
def test_what_is_excluded_is_refused_and_shuts_nothing_else(
    field: str, name: str, excluded: Forms, fine: bool
) -> None:
    found = violations(named(field, name), constraints(excluded=excluded))
    assert (found == ()) is fine


def test_without_constraints_every_name_passes() -> None:
    names = Names("x.example", ("x.example",), ("::1",), ("x://y",), ("m@x",))
    assert violations(names, NameConstraints()) == ()


def test_every_name_that_is_refused_is_named() -> None:
    names = Names(dns_names=("a.example", "b.example", "c.example"))
    found = violations(names, constraints(DNS))
    assert len(found) == 2
    assert "b.example" in found[0]
    assert "c.example" in found[1]


WIDENINGS = [
    ({"dns_domains": ("x.a.example",)}, DNS, None, 0),
    ({"dns_domains": ("a.example",)}, DNS, None, 0),
    ({"dns_domains": ("example",)}, DNS, None, 1),
    ({"ip_ranges": ("10.1.0.0/16",)}, IP, None, 0),
    ({"ip_ranges": ("0.0.0.0/0",)}, IP, None, 1),
    ({"ip_ranges": ("::/0",)}, IP, None, 1),
    ({"ip_ranges": ("10.1.0.0/16",)}, DNS, None, 1),
    ({"dns_domains": ("x.a.example",)}, None, DNS, 1),
    ({"dns_domains": ("b.example",)}, None, DNS, 0),
    (None, DNS, None, 0),
]


@pytest.mark.parametrize(("child", "permitted", "excluded", "count"), WIDENINGS)
def test_a_ca_permits_nothing_that_its_parent_does_not(
    child: Forms | None, permitted: Forms | None, excluded: Forms | None, count: int
) -> None:
    found = widenings(constraints(child), constraints(permitted, excluded))
    assert len(found) == count


label = st.sampled_from(["a", "b", "c"])
domain = st.lists(label, min_size=1, max_size=4).map(".".join)


@given(domain, domain, domain)
def test_what_a_child_within_its_parent_permits_the_parent_permits_too(
    name: str, child: str, parent: str
) -> None:
    inner, outer = constraints({"dns_domains": (child,)}), constraints({"dns_domains": (parent,)})
    names = Names(dns_names=(name,))
    if not widenings(inner, outer) and not violations(names, inner):
        assert violations(names, outer) == ()
