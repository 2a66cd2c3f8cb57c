"""certform forecast."""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from pydantic import TypeAdapter, ValidationError

from reconciler.cli.app import Console
from reconciler.cli.failures import tell_skipped
from reconciler.cli.options import Moment, offline_option, out_option, put_out, ref_option
from reconciler.cli.survey import now, survey
from reconciler.forecast import WEEK, Forecast, forecast
from reconciler.offline import Offline, Unseen
from reconciler.regimes import Regime, Step, required, steps_of, told
from reconciler.repository import examine
from schemas.policy import Baseline
from schemas.scalars import Duration

FORMS = ["text", "json", "markdown", "svg"]
MOST_WEEKS = 1_040
"""Twenty years."""
_BASELINES = ", ".join(Baseline)


class Limit(click.ParamType[Regime]):
    """How long certificates may live: `47d`, `100d@2027-03-15,47d@2029-03-15`, or a baseline of policies."""

    name = "limit"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Regime:
        """Return the rule; fails with a usage error."""
        if isinstance(value, Regime):
            return value
        if value in tuple(Baseline):
            steps = steps_of(Baseline(value))
            return Regime(f"if all were bound by {value}: {told(steps, now())}", steps)
        try:
            steps = tuple(self._step(part) for part in str(value).split(","))
        except (ValidationError, ValueError):
            self.fail(
                f"{value!r} is no lifetime (47d, or 47d@2029-03-15), and not {_BASELINES}",
                param,
                ctx,
            )
        return Regime(f"if all had {told(steps, now())}", steps)

    def _step(self, part: str) -> Step:
        life, _, since = part.strip().partition("@")
        day = date.fromisoformat(since) if since else date.min
        return Step(day, TypeAdapter(Duration).validate_python(life))


@click.command("forecast")
@click.option(
    "--weeks",
    type=click.IntRange(1, MOST_WEEKS),
    help="How many weeks to look ahead; 52 where nothing is said.",
)
@click.option("--until", type=Moment(), help="Look ahead to this day instead.")
@click.option(
    "--what-if",
    "limits",
    type=Limit(),
    multiple=True,
    help="Show beside it what would be if no certificate lived longer: 47d, or cabf-tls"
    " for the steps of the CA/Browser Forum; may be repeated.",
)
@click.option("--format", "form", type=click.Choice(FORMS), default="text")
@out_option
@offline_option
@ref_option
@click.pass_obj
def command(
    console: Console,
    weeks: int | None,
    until: datetime | None,
    limits: tuple[Regime, ...],
    form: str,
    out: Path | None,
    ref: str | None,
    *,
    offline: bool,
) -> None:
    """Tell how many certificates will have to be issued, week by week, and by whom.

    The documents and the ledger say so; no target is asked.

    \b
    Examples:
      certform forecast
      certform forecast --until 2030-01-01 --what-if cabf-tls
      certform forecast --what-if 47d --format svg --out forecast.svg
    """
    if weeks and until:
        raise click.UsageError("--weeks and --until say the same; write one of them")
    number = _weeks(until) if until else weeks or 52
    read = examine(console.root, ref)
    tell_skipped(read.skipped, console)
    world = survey(console, read, offline=Offline() if offline else Unseen()).world
    regimes = (*required(world.desired, world.now), *limits)
    ahead = forecast(world.desired, world.ledger, world.now, weeks=number, regimes=regimes)
    text = _rendered(ahead, form)
    put_out(console, text, out, "the forecast")


def _weeks(until: datetime) -> int:
    """Return how many weeks it is to a day, the current one included."""
    moment = now()
    monday = moment - timedelta(days=moment.weekday())
    number = (until.date() - monday.date()) // WEEK + 1
    if not 1 <= number <= MOST_WEEKS:
        raise click.UsageError(f"--until must be a day to come, at most {MOST_WEEKS:,} weeks away")
    return number


def _rendered(ahead: Forecast, form: str) -> str:
    # a form that is not asked for is not loaded
    if form == "json":
        from reconciler.render.forecast import render_json  # noqa: PLC0415

        return render_json(ahead)
    if form == "svg":
        from reconciler.render.forecast_svg import render_svg  # noqa: PLC0415

        return render_svg(ahead)
    from reconciler.render.forecast_table import render_markdown, render_text  # noqa: PLC0415

    return render_markdown(ahead) if form == "markdown" else render_text(ahead)
