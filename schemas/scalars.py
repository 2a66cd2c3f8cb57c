"""The scalars a user writes, each parsed from its source text by the field that holds it.

YAML is read as text: a plain `077` reaches a field as the three characters that were written, and
the field alone decides what they mean. So no value depends on a YAML version's idea of octal.
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class Matching:
    """Text of one form; `words` complete the sentence "this value ..." when it has another."""

    pattern: str
    words: str

    def __get_pydantic_core_schema__(
        self, _source: type[str], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=self.pattern),
            custom_error_type="form",
            custom_error_message=self.words,
        )


_UNITS = {
    "y": timedelta(days=365),
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
}
_DURATION = re.compile(r"(?:\d+[ywdhms])+")
_DURATION_PART = re.compile(r"(\d+)([ywdhms])")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def _boolean(value: Any) -> Any:
    if isinstance(value, str):
        if value not in ("true", "false"):
            raise ValueError("must be true or false")
        return value == "true"
    return value


def _integer(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"0|[1-9][0-9]{0,8}", value):
            raise ValueError("must be a whole number")
        return int(value)
    return value


def parse_duration(value: Any) -> Any:
    """Parse `90d`, `5y`, `2160h` or `1h30m`; a year is 365 days, as everywhere in certform."""
    if not isinstance(value, str):
        return value
    if not _DURATION.fullmatch(value):
        raise ValueError(
            "must be a duration such as 90d, 5y, 36h or 1h30m (units y, w, d, h, m, s)"
        )
    try:
        total = sum(
            (int(n) * _UNITS[unit] for n, unit in _DURATION_PART.findall(value)), timedelta()
        )
    except (OverflowError, ValueError):  # the latter for more digits than Python reads
        raise ValueError("is longer than any certificate can live") from None
    if total <= timedelta():
        raise ValueError("must be longer than zero")
    return total


def format_duration(value: timedelta) -> str:
    """Return the shortest text that parses to the duration, `90d` before `2160h`."""
    seconds = int(value.total_seconds())
    for unit in "ydhm":
        size = int(_UNITS[unit].total_seconds())
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _mode(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"0?[0-7]{3}", value):
            raise ValueError('must be three octal digits such as "0640"')
        return int(value, 8)
    return value


def _percent(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch(r"(100|[1-9]?[0-9])%", value):
            raise ValueError("must be a percentage from 0% to 100%")
        return int(value[:-1])
    return value


def _instant(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an RFC 3339 time such as 2026-11-23T02:41:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("needs a time zone, for example a Z at the end")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must be between the years 1 and 9999, in UTC") from None


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("must be a day such as 2027-01-01")
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("is not a day of the calendar") from None


def format_instant(value: datetime) -> str:
    """Return the RFC 3339 text of a moment, in UTC, to the second."""
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return f"{moment.isoformat()[:19]}Z"


def _serial(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = value.replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{1,40}", text):
        raise ValueError("must be a serial number in hex, with or without colons")
    return text.lstrip("0") or "0"


def _dns_name(value: Any) -> Any:
    """Normalise a DNS name: lower case, no dot at the end, one leading wildcard label at most."""
    if not isinstance(value, str):
        return value
    name = value.lower().removesuffix(".")
    body = name.removeprefix("*.")
    if not body.isascii():
        raise ValueError("must be in ASCII; write an internationalised name in its xn-- form")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in body.split(".")):
        raise ValueError("is not a DNS name")
    if re.fullmatch(r"[0-9.]+", body):
        raise ValueError("is an IP address; it belongs under ipAddresses")
    return name


def _domain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("*", ".")):
        raise ValueError(
            "is a domain, which always includes what is below it: leave out the leading *. or dot"
        )
    return _dns_name(value)


def _ip(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            raise ValueError("is not an IP address") from None
    return value


def _ip_range(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return str(ipaddress.ip_network(value))
        except ValueError as error:
            raise ValueError(f"is not an IP range in CIDR form ({error})") from None
    return value


_URI = re.compile(
    r"[a-z][a-z0-9+.-]*://(?:[^/?#@\s]*@)?(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~-]+)(?::[0-9]{1,5})?"
    r"(?:[/?#][!-~]*)?"
)


def uri_host(value: str) -> str | None:
    """Return the host of an absolute URI in lower case, None without one (RFC 3986 section 3.2)."""
    match = _URI.fullmatch(value)
    return match[1].strip("[]").lower() if match else None


def _uri(value: Any) -> Any:
    if isinstance(value, str) and not _URI.fullmatch(value):
        raise ValueError("must be an absolute URI with a host, such as spiffe://example.com/web")
    return value


def _email(value: Any) -> Any:
    if isinstance(value, str):
        local, at, host = value.rpartition("@")
        if not (at and local and local.isascii() and re.fullmatch(r"[^\s@<>\"]+", local)):
            raise ValueError("is not an e-mail address")
        return f"{local}@{_dns_name(host)}"
    return value


def _of_others(value: str) -> str:
    if value.lower().startswith("certform-"):
        raise ValueError("must not begin with certform-: certform puts such labels on by itself")
    return value


def _path(value: str) -> str:
    if ".." in value.split("/"):
        raise ValueError("must not climb with `..`")
    if value.startswith("~"):
        raise ValueError("must be written out: `~` is not expanded")
    return value


Boolean = Annotated[
    bool,
    BeforeValidator(_boolean),
    WithJsonSchema({"enum": [True, False, "true", "false"]}),
]
Integer = Annotated[
    int,
    BeforeValidator(_integer),
    WithJsonSchema(
        {"type": ["integer", "string"], "minimum": 0, "pattern": "^(0|[1-9][0-9]{0,8})$"}
    ),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["90d", "5y"]}
    ),
]
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(format_instant, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Day = Annotated[
    datetime,
    BeforeValidator(_day),
    PlainSerializer(lambda value: value.date().isoformat(), return_type=str),
    WithJsonSchema({"type": "string", "format": "date"}),
]
"""The moment a day begins, in UTC."""
Mode = Annotated[
    int,
    BeforeValidator(_mode),
    PlainSerializer(lambda value: f"{value:04o}", return_type=str),
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": "^0?[0-7]{3}$", "examples": ["0640"]}
    ),
]
Percent = Annotated[
    int,
    BeforeValidator(_percent),
    PlainSerializer(lambda value: f"{value}%", return_type=str),
    WithJsonSchema({"type": "string", "pattern": "^(100|[1-9]?[0-9])%$"}),
]
Serial = Annotated[
    str,
    BeforeValidator(_serial),
    WithJsonSchema({"type": ["string", "number"], "pattern": "^[0-9a-fA-F:]+$"}),
]
"""A certificate serial number: lower-case hex without leading zeros."""

_NAME = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
Name = Annotated[
    str,
    Matching(_NAME, "must be 1 to 63 lower-case letters, digits and inner hyphens"),
    WithJsonSchema({"type": ["string", "integer"], "pattern": _NAME}),
]
"""Names a document: fits a file name, a DNS label and a cloud's label alike."""
Reference = Name
DnsName = Annotated[str, BeforeValidator(_dns_name)]
DnsDomain = Annotated[str, BeforeValidator(_domain)]
IpAddress = Annotated[str, BeforeValidator(_ip)]
IpRange = Annotated[str, BeforeValidator(_ip_range)]
Uri = Annotated[str, BeforeValidator(_uri)]
EmailAddress = Annotated[str, BeforeValidator(_email)]

_LINE = r"^[^\x00-\x1f\x7f]{1,200}$"
Text = Annotated[
    str,
    Matching(_LINE, "must be one line of 1 to 200 characters"),
    WithJsonSchema({"type": ["string", "number", "boolean"], "pattern": _LINE}),
]
"""One line of text without control characters."""
OfOthers = AfterValidator(_of_others)
"""For the key of a label that somebody chooses: those of certform say what is whose."""
CommonName = Annotated[
    str, Matching(r"^[^\x00-\x1f\x7f]{1,64}$", "must be one line of 1 to 64 characters")
]
"""RFC 5280 appendix A: ub-common-name is 64 characters."""
Country = Annotated[
    str, Matching("^[A-Z]{2}$", "must be a country's two capital letters, as in GB")
]
"""ISO 3166-1 alpha-2, two capitals."""
FilePath = Annotated[Text, AfterValidator(_path)]
"""A path, relative or absolute, that never climbs."""
