"""What a place cannot change of an object is told before anybody tries."""

import pytest

from providers.base import Content, Installed
from reconciler.replacement import unchangeable
from schemas.capabilities import AWS_ACM, AZURE_KEY_VAULT, Capabilities
from schemas.certificate import Algorithm, Usage
from schemas.request import KeyType, LeafRequest

RSA = KeyType(algorithm=Algorithm.RSA, size=2048)
P256 = KeyType(algorithm=Algorithm.ECDSA, size=256)


def request(key: KeyType, *usages: Usage) -> LeafRequest:
    return LeafRequest(issuer="root", issuer_generation=1, usages=usages, key=key, duration=1)


def installed(content: Content | None = None) -> Installed:
    return Installed("arn", "web", {}, "1", None, None, content=content)


@pytest.mark.parametrize(
    ("had", "want", "why"),
    [
        (request(RSA, Usage.SERVER_AUTH), request(RSA, Usage.SERVER_AUTH), ""),
        (request(RSA, Usage.SERVER_AUTH), request(P256, Usage.SERVER_AUTH), "its key is RSA 2048"),
        (
            request(P256, Usage.SERVER_AUTH, Usage.EMAIL_PROTECTION),
            request(P256, Usage.SERVER_AUTH),
            "it would lose email protection",
        ),
        (
            request(P256, Usage.SERVER_AUTH, Usage.CLIENT_AUTH),
            request(P256, Usage.SERVER_AUTH),
            "",
        ),
        (
            request(P256, Usage.SERVER_AUTH),
            request(P256, Usage.SERVER_AUTH, Usage.CLIENT_AUTH),
            "",
        ),
    ],
)
def test_key_types_and_lost_usages_take_a_new_object(
    had: LeafRequest, want: LeafRequest, why: str
) -> None:
    assert unchangeable(AWS_ACM, installed(), had, want).startswith(why)
    assert bool(unchangeable(AWS_ACM, installed(), had, want)) is bool(why)
    for capabilities in (Capabilities(), AZURE_KEY_VAULT):
        assert unchangeable(capabilities, installed(), had, want) == ""


def test_of_what_somebody_else_made_the_place_tells() -> None:
    want = request(P256, Usage.SERVER_AUTH)
    assert unchangeable(AWS_ACM, installed(Content(key=RSA)), None, want)
    assert not unchangeable(AWS_ACM, installed(Content(key=P256)), None, want)
    assert not unchangeable(AWS_ACM, installed(), None, want)
