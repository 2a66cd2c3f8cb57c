"""What a CA answers (RFC 8555 section 7.1), taken apart strictly: a CA may send anything at all."""

from enum import StrEnum
from typing import Annotated, TypeVar

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from providers.errors import Conflict

LONGEST_URL = 1000
"""Characters of an address; one is written to the ledger."""


def _https(value: str) -> str:
    printable = value.isascii() and value.isprintable() and " " not in value
    if not value.startswith("https://") or not printable or len(value) > LONGEST_URL:
        raise ValueError("is no https:// address")
    return value


Url = Annotated[str, AfterValidator(_https)]


class Body(BaseModel):
    """A JSON object of a CA; fields that we do not know are left out."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, alias_generator=to_camel, validate_by_name=True
    )

    @model_validator(mode="before")
    @classmethod
    def _said(cls, data: object) -> object:
        """Take `null` for nothing: some servers write what they have none of."""
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None}


class Status(StrEnum):
    """How it stands with an order, an authorization or a challenge (RFC 8555 section 7.1.6)."""

    PENDING = "pending"
    READY = "ready"
    PROCESSING = "processing"
    VALID = "valid"
    INVALID = "invalid"
    DEACTIVATED = "deactivated"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Identifier(Body):
    """A DNS name or an IP address (RFC 8738)."""

    type: str
    value: str


class Problem(Body):
    """A problem document (RFC 7807); `subproblems` are those of single names (RFC 8555 section 6.7.1)."""

    type: str = "about:blank"
    title: str | None = None
    detail: str | None = None
    instance: str | None = None
    identifier: Identifier | None = None
    subproblems: tuple["Problem", ...] = ()


class Meta(Body):
    """What a CA says of itself."""

    terms_of_service: str | None = None
    external_account_required: bool = False
    profiles: dict[str, str] = Field(default_factory=dict)


class Directory(Body):
    """The addresses of a CA (RFC 8555 section 7.1.1); `renewal_info` where it speaks RFC 9773."""

    new_nonce: Url
    new_account: Url
    new_order: Url
    revoke_cert: Url | None = None
    renewal_info: Url | None = None
    meta: Meta = Meta()


class Challenge(Body):
    """One way to prove a name; which ways there are is the CA's choice."""

    type: str
    url: Url
    status: Status = Status.PENDING
    token: str | None = None
    error: Problem | None = None


class Authorization(Body):
    """A name, and whether it is proved. `wildcard` tells that it stands for the names below."""

    identifier: Identifier
    status: Status
    challenges: tuple[Challenge, ...] = ()
    wildcard: bool = False


class OrderBody(Body):
    """An order (RFC 8555 section 7.1.3)."""

    status: Status
    identifiers: tuple[Identifier, ...] = ()
    authorizations: tuple[Url, ...]
    finalize: Url
    certificate: Url | None = None
    error: Problem | None = None


class Window(Body):
    """When a certificate should be renewed (RFC 9773 section 4.2)."""

    start: AwareDatetime
    end: AwareDatetime


class RenewalInfo(Body):
    """What a CA advises (RFC 9773 section 4.2)."""

    suggested_window: Window
    explanation_url: str | None = Field(default=None, alias="explanationURL")


Answered = TypeVar("Answered", bound=Body)


def read(kind: type[Answered], body: bytes, what: str) -> Answered:
    """Read a CA's JSON; raises `Conflict`, which repeats nothing of it, for what is no such thing."""
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        # a CA may have chosen some of it
        where = ".".join(part for part in map(str, first["loc"]) if part.isalnum())
        said = f"the CA's answer is no {what} (RFC 8555){f': {where[:80]}' if where else ''}"
    raise Conflict(said)
