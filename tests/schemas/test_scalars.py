"""Scalars: each kind of source text, what it means and what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas import scalars
from schemas.certificate import Algorithm, LeafKey
from schemas.scalars import format_duration, parse_duration, uri_host

ACCEPTED = [
    (scalars.Boolean, "true", True),
    (scalars.Integer, "0", 0),
    (scalars.Integer, "2048", 2048),
    (scalars.Duration, "5y", timedelta(days=1825)),
    (scalars.Duration, "1h30m", timedelta(minutes=90)),
    (scalars.Mode, "0640", 0o640),
    (scalars.Mode, "640", 0o640),
    (scalars.Percent, "30%", 30),
    (scalars.Serial, "00:4A:97", "4a97"),
    (scalars.Serial, "77e10", "77e10"),
    (scalars.Instant, "2026-11-23T03:41:00+01:00", datetime(2026, 11, 23, 2, 41, tzinfo=UTC)),
    (scalars.DnsName, "*.Example.COM.", "*.example.com"),
    (scalars.DnsName, "xn--bcher-kva.example", "xn--bcher-kva.example"),
    (scalars.IpAddress, "2001:DB8::0", "2001:db8::"),
    (scalars.IpRange, "10.0.0.0/8", "10.0.0.0/8"),
    (scalars.Uri, "spiffe://svc.example/orders", "spiffe://svc.example/orders"),
    (scalars.Uri, "https://[2001:db8::1]:8443/x?y#z", "https://[2001:db8::1]:8443/x?y#z"),
    (scalars.EmailAddress, "Me@Example.COM", "Me@example.com"),
    (scalars.FilePath, "/etc/a..b/c", "/etc/a..b/c"),
]
REFUSED = [
    (scalars.Boolean, ("yes", "True", "1", "")),
    (scalars.Integer, ("-1", "1.0", "0x10", "010", "1_000", " 1", "1e3", "\u0661", "9" * 10)),
    (scalars.Duration, ("90", "0d", "-1d", "1.5h", "90 d", "1d ", "", "9999999999999y")),
    (scalars.Mode, ("0o640", "64", "0888", "rw")),
    (scalars.Percent, ("30", "101%", "-1%", "030%", "3.0%")),
    (scalars.Serial, ("", ":", "xyz", "f" * 41)),
    (scalars.Instant, ("2026-11-23", "2026-11-23T02:41:00", "yesterday")),
    (
        scalars.DnsName,
        (
            "",
            ".",
            "a..b",
            "-a.b",
            "a-.b",
            "a b",
            "bücher.example",
            "*",
            "**.a.b",
            "a.*.b",
            "*a.b",
            "10.0.0.1",
            "a" * 64 + ".b",
            "a\n",
        ),
    ),
    (scalars.DnsDomain, (".example.com", "*.example.com")),
    (scalars.IpAddress, ("10.0.0.256", "010.0.0.1", "10.0.0.0/8", "a.example")),
    (scalars.IpRange, ("10.0.0.1/8", "10.0.0.0/33", "a")),
    (
        scalars.Uri,
        (
            "example.com",
            "/path",
            "mailto:me@example.com",
            "https:///x",
            "https://a b/",
            "https://ex\u00e4mple/",
            "https://a@/",
            "https://[::1/",
            "https://a:port/",
        ),
    ),
    (
        scalars.EmailAddress,
        ("me", "@example.com", "me@", "me@a@b c", "a b@example.com", "me@-x.example"),
    ),
    (scalars.Name, ("", "A", "a_b", "-a", "a-", "a.b", "a" * 64, "a\n", "../x")),
    (scalars.Text, ("", "a\nb", "\x7f", "x" * 201)),
    (scalars.CommonName, ("", "x" * 65)),
    (scalars.Country, ("gb", "GBR", "")),
    (scalars.FilePath, ("..", "a/../b", "../a", "~/x", "")),
]


@pytest.mark.parametrize(("scalar", "text", "value"), ACCEPTED)
def test_text_is_read_by_the_field_that_takes_it(scalar: Any, text: str, value: object) -> None:
    assert TypeAdapter(scalar).validate_python(text) == value


@pytest.mark.parametrize(("scalar", "text"), [(s, text) for s, texts in REFUSED for text in texts])
def test_other_text_is_refused(scalar: Any, text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(scalar).validate_python(text)


@pytest.mark.parametrize("text", ["90d", "5y", "36h", "1m", "59s", "2w"])
def test_a_duration_is_written_as_it_parses(text: str) -> None:
    assert parse_duration(format_duration(parse_duration(text))) == parse_duration(text)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("x://A.b/", "a.b"),
        ("x://u:p@a.b:1/@c", "a.b"),
        ("x://[::1]/", "::1"),
        ("x://a.b?@c.d", "a.b"),
        ("x:///", None),
        ("x", None),
    ],
)
def test_the_host_of_a_uri_is_what_stands_in_its_authority(uri: str, host: str | None) -> None:
    assert uri_host(uri) == host


def test_a_word_is_taken_as_text_by_a_strict_model() -> None:
    assert LeafKey.model_validate({"algorithm": "RSA"}).algorithm is Algorithm.RSA
