"""Manifests of anybody's making: each is read or is not one, and nothing else ever happens."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.local.layout import FILES
from providers.local.manifest import Manifest, decode, encode

DIGEST = "ab" * 32
GOOD: Mapping[str, Any] = {
    "format": 1,
    "labels": {"team": "web"},
    "serial": "77e10",
    "sha256": DIGEST,
    "notAfter": "2027-01-01T00:00:00Z",
    "trust": DIGEST,
    "dnsName": "www.example.com",
    "files": dict.fromkeys(FILES, DIGEST),
}
anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**30, max_value=10**40)
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.sampled_from([DIGEST, "2027-01-01T00:00:00", "9999-12-31T23:59:59-23:59", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
places = st.sampled_from([*((key,) for key in GOOD), ("labels", "x"), ("files", "cert.pem")])


def changed(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return the good manifest with one value replaced."""
    data = json.loads(json.dumps(GOOD))
    inner = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return dict(data)


def sound(manifest: Manifest | None) -> bool:
    """Whether a manifest can be compared, shown and written back, if it is one."""
    if manifest is None:
        return True
    _ = manifest.not_after - datetime.now(UTC)
    return decode(encode(manifest)) == manifest


def test_what_is_written_is_read() -> None:
    assert decode(json.dumps(GOOD).encode()) is not None
    assert sound(decode(json.dumps(GOOD).encode()))


@given(places, anything)
def test_whatever_stands_in_a_field_it_is_read_or_refused(
    path: tuple[str, ...], value: object
) -> None:
    assert sound(decode(json.dumps(changed(path, value)).encode()))


@given(anything)
def test_whatever_stands_in_the_place_of_a_manifest_is_refused(value: object) -> None:
    assert decode(json.dumps(value).encode()) is None


@given(st.binary())
def test_bytes_are_refused(content: bytes) -> None:
    assert decode(content) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("notAfter",), "2027-01-01T00:00:00"),
        (("notAfter",), "9999-12-31T23:59:59-23:59"),
        (("notAfter",), 1),
        (("serial",), 77),
        (("sha256",), "short"),
        (("trust",), None),
        (("dnsName",), ["www"]),
        (("dnsName",), "\ud800"),
        (("labels", "x"), 1),
        (("labels", "x"), "\udfff"),
        (("files", "cert.pem"), {}),
        (("files", "../../etc/passwd"), DIGEST),
    ],
)
def test_a_value_that_certform_does_not_write_is_refused(
    path: tuple[str, ...], value: object
) -> None:
    assert decode(json.dumps(changed(path, value)).encode()) is None


@pytest.mark.parametrize(
    "content",
    [b"[" * 100_000, b'{"format":' * 50_000, b'{"format": NaN}', b"9" * 10_000, b"\xff\xfe", b""],
)
def test_what_no_parser_likes_is_refused(content: bytes) -> None:
    assert decode(content) is None
