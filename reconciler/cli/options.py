"""Options that several commands share, and what is made of them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import TypeAdapter, ValidationError

from reconciler.cli.app import Console
from reconciler.diagnostics import Diagnostic
from reconciler.errors import InvalidInput
from reconciler.outfile import write_whole
from reconciler.selection import (
    Selection,
    irreplaceable,
    parse_labels,
    unknown_addresses,
    unmatched_labels,
)
from reconciler.state import Desired
from schemas.plan import Change
from schemas.scalars import Instant, Name

F = TypeVar("F", bound=Callable[..., Any])


class Moment(click.ParamType[datetime]):
    """An RFC 3339 time, or a date, meaning its start in UTC."""

    name = "date"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Parse the text; fails with a usage error."""
        text = value if "T" in str(value) else f"{value}T00:00:00Z"
        try:
            return TypeAdapter(Instant).validate_python(text)
        except ValidationError:
            self.fail(
                f"{value!r} is neither a date (2027-01-31) nor a time (…T02:00:00Z)", param, ctx
            )


class DocumentName(click.ParamType[str]):
    """What a document, or a project, may be called."""

    name = "name"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name; fails with a usage error."""
        try:
            return TypeAdapter(Name).validate_python(value)
        except ValidationError as why:
            self.fail(f"{value!r} {why.errors()[0]['msg']}", param, ctx)


def ref_option(function: F) -> F:
    """Add `--ref`."""
    return click.option(
        "--ref", metavar="REV", help="Read the documents from this commit, without checkout."
    )(function)


def base_option(function: F) -> F:
    """Add `--base`."""
    return click.option(
        "--base",
        metavar="REV",
        help="Tell what is proposed against this commit, and speak only with whom it names.",
    )(function)


def selection_options(function: F) -> F:
    """Add ADDRESS..., `--selector` and `--replace`."""
    for decorator in (
        click.option(
            "--replace",
            multiple=True,
            metavar="ADDRESS",
            help="Issue this certificate anew; may be repeated.",
        ),
        click.option(
            "-l", "--selector", metavar="KEY=VALUE,...", help="Only what has these labels."
        ),
    ):
        function = decorator(function)
    return function


offline_option = click.option(
    "--offline",
    is_flag=True,
    help="Ask nobody: the ledger as last fetched, targets as it left them.",
)
out_option = click.option(
    "-o",
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead; it appears whole.",
)

format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    help="How to show the plan.",
)
lock_timeout_option = click.option(
    "--lock-timeout",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait while another run holds the ledger.",
)
mass_option = click.option(
    "--allow-mass-change",
    is_flag=True,
    help="Allow more to be removed, revoked or replaced than the guard permits.",
)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a command was asked to look at; checked against the documents once they are known."""

    addresses: tuple[str, ...] = ()
    selector: str | None = None
    replace: tuple[str, ...] = ()
    due_only: bool = False

    def selection(self) -> Selection:
        """The part of the plan that is meant; raises `InvalidInput`."""
        labels = parse_labels(self.selector) if self.selector else None
        if isinstance(labels, Diagnostic):
            raise InvalidInput((labels,))
        return Selection(self.addresses, labels, self.due_only)

    def check(self, desired: Desired, changes: tuple[Change, ...] = ()) -> tuple[Diagnostic, ...]:
        """Return a warning when no document has the labels; raise `InvalidInput` for addresses of none."""
        unknown = unknown_addresses(self.addresses, changes, desired)
        if wrong := (*unknown, *irreplaceable(self.replace, desired)):
            raise InvalidInput(wrong)
        labels = self.selection().labels
        return unmatched_labels(labels, desired) if labels else ()


def put_out(console: Console, text: str, out: Path | None, what: str) -> None:
    """Write a text where it was asked for, to stdout or whole to a file; `what` it is, for people."""
    if out is None:
        console.write(text)
    else:
        write_whole(out, text)
        console.say(f'Wrote {what} to "{out}".')
