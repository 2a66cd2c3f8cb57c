"""certform graph."""

from collections.abc import Iterator
from pathlib import Path

import click

from providers.local.hosts import called
from reconciler.cli.app import Console
from reconciler.cli.failures import tell_skipped
from reconciler.cli.options import offline_option, out_option, put_out, ref_option
from reconciler.cli.survey import survey
from reconciler.diagnostics import error
from reconciler.diff import World
from reconciler.errors import InvalidInput
from reconciler.holdings import Holdings
from reconciler.impact import KINDS, Impact, impact
from reconciler.load.suggest import nearest
from reconciler.offline import Offline, Unseen
from reconciler.render.graph import render_graph
from reconciler.repository import examine, load
from reconciler.state import Desired

FORMS = ["text", "mermaid", "svg", "json"]
_FORMS = f"an address is {', '.join(f'{kind}/NAME' for kind in KINDS)}"


@click.command("graph")
@click.option(
    "--impact",
    "address",
    metavar="ADDRESS",
    help="Tell what falls with an authority, an issuer, a target or a certificate.",
)
@click.option(
    "--generation", type=click.IntRange(min=1), help="Only this generation of the authority."
)
@click.option("--format", "form", type=click.Choice(FORMS), default="text")
@out_option
@offline_option
@ref_option
@click.pass_obj
def command(
    console: Console,
    address: str | None,
    generation: int | None,
    form: str,
    out: Path | None,
    ref: str | None,
    *,
    offline: bool,
) -> None:
    """Draw which authority or issuer issues what, and where it goes; or tell what falls with one.

    The documents and the ledger say so; no target is asked.

    \b
    Examples:
      certform graph
      certform graph --impact authority/services
      certform graph --impact authority/services --generation 1 --format mermaid
      certform graph --impact target/acm --format svg --out impact.svg
    """
    if generation and not (address or "").startswith("authority/"):
        raise click.UsageError("--generation is of an authority: --impact authority/NAME")
    if address is None and form == "text":
        text = render_graph(load(console.root, ref))
    else:
        text = _rendered(_impact(console, address or "", generation, ref, offline=offline), form)
    put_out(console, text, out, "the graph")


def _impact(
    console: Console, address: str, generation: int | None, ref: str | None, *, offline: bool
) -> Impact:
    """Return what falls with an address; raises `InvalidInput` for one of nothing."""
    read = examine(console.root, ref)
    tell_skipped(read.skipped, console)
    world = survey(console, read, offline=Offline() if offline else Unseen()).world
    name = address.partition("/")[2]
    lines = Holdings(world.desired, world.ledger, world.now).lines
    found = impact(
        world.desired,
        world.ledger,
        address,
        world.now,
        generation=generation,
        elsewhere=frozenset(elsewhere(world.desired)),
    )
    if found is None:
        hint = nearest(address, _known(world)) or _FORMS
        raise InvalidInput((error(f"there is no {address}", hint=hint),))
    if generation and (name, generation) not in lines:
        there = ", ".join(str(number) for of, number in sorted(lines) if of == name) or "none"
        summary = f"{address} has no generation {generation} that is in use"
        raise InvalidInput((error(summary, hint=f"in use: {there}"),))
    return found


def elsewhere(desired: Desired) -> Iterator[str]:
    """Yield the targets that are on other hosts; their names alone tell."""
    for name, target in desired.targets.items():
        local = target.spec.local_directory
        if local is not None and not called(local.hosts):
            yield name


def _known(world: World) -> Iterator[str]:
    desired, ledger = world.desired, world.ledger
    for kind, names in (
        ("authority", desired.authorities.keys() | ledger.authorities.keys()),
        ("issuer", desired.issuers.keys()),
        ("target", desired.targets.keys()),
        ("certificate", desired.certificates.keys() | ledger.certificates.keys()),
    ):
        yield from (f"{kind}/{name}" for name in names)


def _rendered(fallen: Impact, form: str) -> str:
    # a form that is not asked for is not loaded
    if form == "svg":
        from reconciler.render.graph_svg import render_svg  # noqa: PLC0415

        return render_svg(fallen)
    if form == "mermaid":
        from reconciler.render.graph_mermaid import render_mermaid  # noqa: PLC0415

        return render_mermaid(fallen)
    from reconciler.render.impact import render_json, render_text  # noqa: PLC0415

    return render_json(fallen) if form == "json" else render_text(fallen)
