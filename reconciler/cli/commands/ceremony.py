"""certform ceremony."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from reconciler.ceremony import papers
from reconciler.ceremony.keys import require_no_key
from reconciler.ceremony.papers import Answer, groups
from reconciler.ceremony.signing import Signed, assigned, begun, keyless, sign, unsigned
from reconciler.ceremony.wording import told
from reconciler.cli.app import Console
from reconciler.cli.failures import show
from reconciler.cli.offline_keys import Given, forbid_core, opened
from reconciler.cli.options import lock_timeout_option, ref_option
from reconciler.diagnostics import error
from reconciler.errors import InvalidInput
from reconciler.outfile import write_whole

_TYPED = 4
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("ceremony")
def command() -> None:
    """Have an offline key sign: export, carry, sign, carry back, import.

    \b
    Examples:
      certform ceremony export -o request.json
      certform ceremony sign request.json --key root.key -o answer.json
      certform ceremony import answer.json
    """


@command.command("export")
@click.option("-o", "--out", type=_FILE, default=Path("request.json"), help="Where to write it.")
@ref_option
@lock_timeout_option
@click.pass_obj
def _export(console: Console, out: Path, ref: str | None, lock_timeout: float) -> int:
    """Reserve in the ledger what waits for offline keys, and write it as a request.

    The request holds no secret. What is reserved already is asked for again as it was. With --ref it is
    what the documents of that commit ask for, such as those that were merged.
    """
    from reconciler.apply.session import Impossible  # noqa: PLC0415 - the offline side needs none of it
    from reconciler.ceremony.reservations import export  # noqa: PLC0415
    from reconciler.cli.survey import session  # noqa: PLC0415
    from reconciler.lint import Linter  # noqa: PLC0415

    require_no_key(out)
    linter = Linter()
    with session(console, ref=ref, lock_timeout=lock_timeout) as held:
        try:
            request = export(held, linter.before_ceremony)
        except Impossible as why:
            raise InvalidInput((error(f"nothing was reserved: {why}"),)) from None
    show((*linter.objections, *linter.remarks), console)
    console.write(told(begun(request)))
    if request.certificates or request.crls:
        write_whole(out, papers.written(request))
        console.say(f"\nWritten to {out}. Read the digest to whoever signs.")
    return 0


@command.command("show")
@click.argument("file", type=_FILE)
@click.pass_obj
def _show(console: Console, file: Path) -> None:
    """Say what a request or an answer is, in plain words."""
    console.write(told(begun(papers.read(file))))


@command.command("sign")
@click.argument("file", type=_FILE)
@click.option("--key", "keys", multiple=True, type=_FILE, help="A key file (PEM); may be repeated.")
@click.option(
    "--new-key", "new", multiple=True, type=_FILE, help="Where to write a key that is made here."
)
@click.option("--pkcs11", "uris", multiple=True, metavar="URI", help="A key in a token (RFC 7512).")
@click.option("--module", type=click.Path(), help="The library of the token.")
@click.option(
    "--passphrase-fd", type=click.IntRange(min=3), help="Read passphrases here, one a line."
)
@click.option("-o", "--out", type=_FILE, default=Path("answer.json"), help="Where to write it.")
@click.pass_obj
def _sign(
    console: Console,
    file: Path,
    keys: tuple[Path, ...],
    new: tuple[Path, ...],
    uris: tuple[str, ...],
    module: str | None,
    passphrase_fd: int | None,
    out: Path,
) -> int:
    """Sign a request, on a machine that needs no network, no repository and no ledger.

    Everything is shown, and nothing is signed before the first groups of the digest were typed. An
    answer can be signed on with further keys.

    \b
    Examples:
      certform ceremony sign request.json --new-key root.key
      certform ceremony sign request.json --key root.key
      certform ceremony sign request.json --pkcs11 'pkcs11:token=ca;object=root' \\
        --module /usr/lib/softhsm/libsofthsm2.so
    """
    forbid_core()
    require_no_key(out, (*keys, *new))
    signed = begun(papers.read(file))
    console.write(told(signed))
    _refuse_needless(signed, new)
    _confirm(signed)
    given = Given(keys, new, uris, module, passphrase_fd)
    done = sign(signed, assigned(signed, opened(given, tuple(keyless(signed).values()))))
    if len(unsigned(done)) == len(unsigned(signed)):
        raise InvalidInput((error("nothing was signed: no key that was given is asked to sign"),))
    write_whole(out, papers.written(done.answer()))
    console.write(f"\n{told(done)}")
    _tell_unsigned(console, unsigned(done))
    console.say(f"Written to {out}. Carry it back, and `certform ceremony import` it.")
    return 0


def _refuse_needless(signed: Signed, new: Sequence[Path]) -> None:
    if len(new) > len(keyless(signed)):
        why = f"{len(keyless(signed))} keys are to be made, and {len(new)} files are named"
        raise InvalidInput((error(why, hint="--key is for a key that is there already"),))


def _confirm(signed: Signed) -> None:
    """Have the first groups typed of the digest that was read aloud; raises `InvalidInput` for others.

    64 bits: whoever changes a request can have it begin with a group or two of the right digest.
    """
    text = f"\nType the first {_TYPED} groups of the digest, as they were read to you"
    typed = click.prompt(text, default="", show_default=False, err=True)
    if "".join(typed.split()).lower() != signed.request.digest[: 4 * _TYPED]:
        hint = (
            "compare the whole digest: this may be another request than the one that was exported"
        )
        raise InvalidInput(
            (error("that is not how the digest begins: nothing was signed", hint=hint),)
        )


def _tell_unsigned(console: Console, names: Sequence[str]) -> None:
    if names:
        console.say(f"\nNot signed, for want of their keys: {', '.join(names)}")


@command.command("import")
@click.argument("file", type=_FILE)
@lock_timeout_option
@click.pass_obj
def _import(console: Console, file: Path, lock_timeout: float) -> int:
    """Check an answer against what the ledger reserved, and record it, whole or not at all.

    Then `certform apply` goes on with it.
    """
    from reconciler.ceremony.acceptance import take_in  # noqa: PLC0415
    from reconciler.cli.survey import session  # noqa: PLC0415

    paper = papers.read(file)
    if not isinstance(paper, Answer):
        hint = "`certform ceremony sign` makes an answer of it"
        raise InvalidInput(
            (error(f"{os.fspath(file)} is a request, and not an answer", hint=hint),)
        )
    with session(console, lock_timeout=lock_timeout) as held:
        taken = take_in(held, paper)
    for name, digest in taken.accepted.items():
        console.write(f"{name}\n    SHA-256 {groups(digest)}")
    new = len(taken.authorities) + len(taken.crls)
    console.say("Recorded; certform apply goes on." if new else "It was recorded already.")
    return 0
