"""certform serve."""

from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import click

from providers.local.location import Location
from reconciler.cli.app import Console
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.render.escape import visible
from reconciler.repository import load
from reconciler.showcase import Showcase
from reconciler.web import serving


@click.command("serve")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0 takes a free one.")
@click.option(
    "--directory",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What to show; without it what the Project publishes.",
)
@click.pass_obj
def command(console: Console, port: int, directory: Path | None) -> None:
    """Show CRLs, CA certificates and OCSP responses on this machine, for trying.

    At 127.0.0.1 and ::1 alone, read only, until Ctrl-C. OCSP is answered by GET and by POST, from the
    responses that are published: no key is opened. For anybody else use a web server: docs/ocsp.md.
    """
    showcase = _showcase(console, directory)
    with ExitStack() as stack:
        try:
            server = serving(showcase, port, lambda line: console.say(visible(line)))
            taken = stack.enter_context(server)
        except OSError as why:
            raise InvalidInput([error(f"cannot listen on port {port}: {why.strerror}")]) from None
        console.write(f"http://127.0.0.1:{taken}{showcase.prefix}/")
        console.say("Ctrl-C stops it.")
        with suppress(KeyboardInterrupt):
            Event().wait()
    console.say("Stopped.")


def _showcase(console: Console, directory: Path | None) -> Showcase:
    if directory is not None:
        return Showcase(Location(directory.resolve(), console.root))
    publish = load(console.root).publish
    if publish is None:
        hint = "set spec.publish in certform.yaml, or name a --directory"
        raise InvalidInput([error("the Project publishes nothing", hint=hint)])
    prefix = urlsplit(publish.base_url).path.rstrip("/")
    return Showcase(Location.of(console.root, publish.to.directory), prefix)
