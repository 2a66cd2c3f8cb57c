"""Addresses are taken apart and put together in one way."""

import pytest

from reconciler.address import covers, owner, place, spot


@pytest.mark.parametrize(
    ("address", "name", "target"),
    [
        ("certificate/web", "web", ""),
        ("certificate/web#4a97", "web", ""),
        ("certificate/web@nginx", "web", "nginx"),
        ("certificate/web@acm/eu-west-1", "web", "acm/eu-west-1"),
        ("certificate/web@acm/eu-west-1:web~1a2b3c4d", "web", "acm/eu-west-1"),
        ("certificate/web@nginx:old", "web", "nginx"),
        ("authority/root", "root", ""),
    ],
)
def test_an_address_tells_whose_it_is_and_where(address: str, name: str, target: str) -> None:
    assert (owner(address), place(address)) == (name, target)


def test_an_object_is_named_only_where_it_has_a_name_of_its_own() -> None:
    assert spot("web", "nginx", "web") == "certificate/web@nginx"
    assert spot("web", "acm/eu-west-1", "old") == "certificate/web@acm/eu-west-1:old"


@pytest.mark.parametrize(
    ("address", "other", "meant"),
    [
        ("certificate/web", "certificate/web@acm/eu-west-1", True),
        ("certificate/web", "certificate/web#4a97", True),
        ("certificate/web", "certificate/web-2@nginx", False),
        ("certificate/web@acm", "certificate/web@acm/eu-west-1", True),
        ("certificate/web@acm", "certificate/web@acm-2/eu-west-1", False),
        ("certificate/web@acm", "certificate/web@acm:old", True),
        ("target/acm", "target/acm/eu-west-1", True),
        ("certificate/a", "certificate/a/b", False),
    ],
)
def test_who_names_a_whole_means_its_parts(address: str, other: str, *, meant: bool) -> None:
    assert covers(address, other) is meant
