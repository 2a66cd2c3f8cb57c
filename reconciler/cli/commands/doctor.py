"""certform doctor."""

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import packages_distributions
from pathlib import Path

import click

from providers.errors import ProviderError
from providers.registry import dns_solver_class, issuer_class
from providers.sops.binary import Sops
from providers.sops.identity import Source, held_recipients, identity_sources, others_read
from providers.sops.recipients import wanted_recipients
from reconciler import __version__
from reconciler.access import is_shut
from reconciler.cli.app import Console
from reconciler.cli.survey import Survey, survey
from reconciler.diff import World
from reconciler.diff.recipients import recipient_changes
from reconciler.errors import ReconcilerError
from reconciler.git import Git
from reconciler.guard import guard
from reconciler.ledger.lock import held_by
from reconciler.ledger.store import open_store
from reconciler.render.escape import flowing
from reconciler.repository import examine
from reconciler.state import DesiredIssuer
from schemas.plan import FieldChange


class Verdict(StrEnum):
    """How one thing was found."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Result:
    """One thing that was looked at, and what to do about it."""

    verdict: Verdict
    text: str


@click.command("doctor")
@click.pass_obj
def command(console: Console) -> int:
    """Check this machine and this repository; exit 1 when something is wrong.

    Changes nothing and opens no key.
    """
    worst = 0
    for result in _examine(console):
        console.write(f"{result.verdict:<8} {flowing(result.text)}")
        worst |= result.verdict is Verdict.PROBLEM
    return worst


def _examine(console: Console) -> Iterator[Result]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    yield _ok(f"certform {__version__}, Python {version}")
    yield from _packages()
    yield _attempt("git", lambda: Git(console.root).run("--version").decode().strip())
    yield _attempt("sops", lambda: f"sops {Sops().version()}")
    yield from _identities()
    yield from _repository(console)


def _ok(text: str) -> Result:
    return Result(Verdict.OK, text)


def _attempt(what: str, look: Callable[[], str]) -> Result:
    try:
        return _ok(look())
    except (ReconcilerError, ProviderError) as why:
        return Result(Verdict.PROBLEM, f"{what}: {why}")


def _packages() -> Iterator[Result]:
    """Find distributions that put files into our packages: one of them has overwritten the other."""
    known = packages_distributions()
    for package in ("reconciler", "schemas", "providers"):
        strangers = set(known.get(package, ())) - {"certform"}
        if strangers:
            names = ", ".join(sorted(strangers))
            text = f"{names} is installed over certform's own package {package}"
            yield Result(Verdict.PROBLEM, f"{text}: give certform an environment of its own")


def _identities() -> Iterator[Result]:
    sources = identity_sources(os.environ)
    for source in sources:
        yield from _identity_source(source)
    if all(source.vacant or source.problem for source in sources):
        text = "no age identity here: fine for planning, and where a key service opens keys"
        yield Result(Verdict.WARNING, text)


def _identity_source(source: Source) -> Iterator[Result]:
    if source.problem:
        yield Result(Verdict.PROBLEM, f"{source.problem}; sops cannot use it")
    elif source.vacant and source.name != str(source.file):
        yield Result(Verdict.PROBLEM, f"{source.name} is named, and holds no age identity")
    if source.opaque:
        yield _ok(f"age identities from {source.name}: only sops can look at them")
    if source.recipients:
        yield _ok(f"age identity {', '.join(source.recipients)} in {source.name}")
    if source.file and source.recipients and others_read(source.file.stat()):
        text = f"{source.file} can be read by others: chmod 600 {source.file}"
        yield Result(Verdict.PROBLEM, text)


def _repository(console: Console) -> Iterator[Result]:
    if not Path(console.root, "certform.yaml").exists():
        yield Result(Verdict.WARNING, f"{console.root} holds no certform.yaml: certform init")
        return
    try:
        found = survey(console, examine(console.root))
    except (ReconcilerError, ProviderError) as why:
        yield Result(
            Verdict.PROBLEM, f"{why} {why.hint if isinstance(why, ReconcilerError) else ''}"
        )
        return
    yield from _survey(console, found)


def _survey(console: Console, found: Survey) -> Iterator[Result]:
    world = found.world
    settings, ledger = world.desired.ledger, world.ledger
    yield _ok(f"the documents are valid: {len(world.desired.certificates)} certificates")
    yield _ok(f"the ledger {ledger.lineage.id} is signed; its tip is {ledger.tip[:12]}")
    store = open_store(console.root, settings)
    if holder := held_by(store, store.tips()):
        yield Result(Verdict.WARNING, f"the ledger is held by {holder}; lock {holder.id}")
    for problem in guard((), world.desired.guard, ledger, world.now):
        yield Result(Verdict.PROBLEM, f"{problem.summary}: {problem.hint}")
    yield from _keys(world)
    for name in sorted({leaf.request.issuer for leaf in world.desired.certificates.values()}):
        if issuer := world.desired.issuers.get(name):
            yield _issuer(issuer)
    for name, observation in sorted(world.observed.targets.items()):
        detail = f" ({observation.detail})" if observation.detail else ""
        verdict = Verdict.PROBLEM if observation.status == "unknown" else Verdict.OK
        yield Result(verdict, f"target {name}: {observation.status}{detail}")
    if world.observed.published is None:
        yield Result(Verdict.PROBLEM, f"publish.to: {world.observed.published_detail}")


def _issuer(issuer: DesiredIssuer) -> Result:
    """Tell whether the packages are here that ask a CA of others; the CA is not asked."""
    spec = issuer.spec
    proofs = (solver.dns01 for solver in spec.acme.solvers) if spec.acme else ()
    try:
        if not spec.capabilities.hosted:
            issuer_class(spec.kind)
        for dns in filter(None, proofs):
            dns_solver_class(dns.kind)
    except ProviderError as why:
        return Result(Verdict.WARNING, f"issuer {issuer.name}: {why}; plan works, apply does not")
    return _ok(f"issuer {issuer.name}: everything that {spec.kind} needs is installed")


def _keys(world: World) -> Iterator[Result]:
    """Tell whom the keys are encrypted to, as far as it is not as it should be."""
    for step in recipient_changes(world):
        for field in step.fields:
            which = field.path.removesuffix("recipients").strip()
            text = f"{step.address} {which}".strip() + _difference(field)
            hint = "certform apply encrypts it anew, where it can be opened"
            yield Result(Verdict.WARNING, f"{text}: {hint}")
    if is_shut(world.ledger.keyring or ("unknown",), held_recipients(os.environ)):
        text = "none of the age identities here opens the keyring: plan works, apply does not"
        yield Result(Verdict.WARNING, text)
    if len(wanted_recipients(world.desired.keyring)) == 1:
        text = (
            "the keyring has one recipient: add a second, kept apart, or a lost key loses every CA"
        )
        yield Result(Verdict.WARNING, text)


def _difference(field: FieldChange) -> str:
    """Say in words who should open a key and cannot, and the other way round."""
    extra = [name for name in field.before if name not in field.after]
    lacking = [name for name in field.after if name not in field.before]
    parts = ((" can still be opened by ", extra), (" cannot yet be opened by ", lacking))
    return " and".join(verb + ", ".join(who) for verb, who in parts if who)
