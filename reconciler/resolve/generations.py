"""What follows a CA's generation: when its certificate is renewed, and what may be signed ahead."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.documents import Place
from reconciler.resolve.catalogue import Entry
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.authority import AuthoritySpec
from schemas.custody import Kept, MountedKey
from schemas.scalars import format_duration

LATEST = 0.9
"""The share of its life that a CA's certificate may be renewed before its end."""
LONGEST = 2 / 3
"""The share of a CA's life that what it issues may live for the CA to be renewed in time for it."""
_DAY = 86400


def check_generations(
    spec: AuthoritySpec, lifetime: timedelta, place: Place
) -> Iterator[Diagnostic]:
    """Yield what is asked for of a CA's next generation, or its next certificate, and cannot be."""
    custody = spec.private_key.custody
    if spec.standby and custody is Kept.NONE:
        yield error("nobody has its key, so nothing is signed ahead", place.at("spec", "standby"))
    elif spec.standby and isinstance(custody, MountedKey):
        summary = "a mount signs by default under one generation: Vault keeps none ready"
        yield error(summary, place.at("spec", "standby"), hint="leave it out")
    elif spec.standby and custody not in (None, Kept.OFFLINE):
        summary = "a standby needs a key of its own, and privateKey.custody names one key"
        hint = (
            "leave it out; when this generation is replaced, name the new key and raise generation"
        )
        yield error(summary, place.at("spec", "standby"), hint=hint)
    if spec.cross_sign and spec.parent_ref is not None:
        summary = "only a root is cross-signed by the generation before it"
        yield error(summary, place.at("spec", "crossSign"))
    elif spec.cross_sign and custody is Kept.NONE:
        yield error("nobody has its key, so nothing is signed", place.at("spec", "crossSign"))
    yield from _idle(spec, place)
    if spec.renew_before is not None and spec.renew_before >= lifetime:
        lives = format_duration(lifetime)
        summary = f"renewBefore must be shorter than its life ({lives})"
        yield error(summary, place.at("spec", "renewBefore"))


def _idle(spec: AuthoritySpec, place: Place) -> Iterator[Diagnostic]:
    """Yield a warning for what is asked for and cannot do anything."""
    if spec.standby and spec.retired:
        hint = "leave out one of the two"
        yield warning("a retired CA keeps nothing ready", place.at("spec", "standby"), hint=hint)
    if spec.cross_sign and spec.parent_ref is None and spec.generation == 1:
        yield warning(
            "crossSign does nothing yet: there is no generation before 1 to sign it",
            place.at("spec", "crossSign"),
            hint="write it when generation is raised",
        )


def with_renewals(
    authorities: Mapping[str, DesiredAuthority], certificates: Iterable[DesiredCertificate]
) -> Mapping[str, DesiredAuthority]:
    """Return CAs with the time before their end that they are renewed, by what each of them issues."""
    longest = _longest(authorities, certificates)
    return {
        name: _renewed(ca, longest[name].lives if name in longest else 0)
        for name, ca in authorities.items()
    }


def check_lives(
    authorities: Mapping[str, DesiredAuthority],
    certificates: Iterable[DesiredCertificate],
    entries: Mapping[str, Entry[AuthoritySpec]],
) -> Iterator[Diagnostic]:
    """Yield a warning for each CA that is not renewed as often as what lives longest below it would need."""
    for name, below in _longest(authorities, certificates).items():
        ca = authorities.get(name)
        if ca is None or ca.retired or ca.is_anchor:
            continue
        if _renewed(ca, below.lives).renew_before >= timedelta(seconds=below.lives):
            continue
        lives = format_duration(timedelta(seconds=below.lives))
        ends = format_duration(timedelta(seconds=ca.request.duration))
        unit = _DAY if below.lives > _DAY else 60
        enough = format_duration(timedelta(seconds=-(-below.lives * 3 // (2 * unit)) * unit))
        summary = f"{below.address} is to live {lives} and will often end earlier, with {name}"
        detail = f"{name} lives {ends}, and is renewed when two thirds of that are over."
        hint = f"give {name} a duration of at least {enough}, or what it issues a shorter one"
        place = entries[name].document.at("spec", "duration")
        yield warning(summary, place, detail=detail, hint=hint)


@dataclass(frozen=True, slots=True)
class _Below:
    """What lives longest of all that a CA issues, in seconds."""

    address: str
    lives: int


def _longest(
    authorities: Mapping[str, DesiredAuthority], certificates: Iterable[DesiredCertificate]
) -> Mapping[str, _Below]:
    longest: dict[str, _Below] = {}
    every: tuple[DesiredAuthority | DesiredCertificate, ...]
    every = (*authorities.values(), *certificates)
    for each in every:
        issuer, lives = str(each.request.issuer), each.request.duration
        if issuer not in longest or longest[issuer].lives < lives:
            longest[issuer] = _Below(each.address, lives)
    return longest


def _renewed(authority: DesiredAuthority, longest: int) -> DesiredAuthority:
    """Return a CA that is renewed while what it issues can still live its whole life.

    Where that would be all the time, or nobody here knows what it issues, it is renewed when two thirds
    of its own life are over.
    """
    life = authority.request.duration
    known = longest <= life * LONGEST and authority.mounted is None
    lives = longest if known else life / 3
    asked = max(authority.renew_before, timedelta(seconds=int(lives)))
    most = timedelta(seconds=int(life * LATEST))
    return replace(authority, renew_before=min(asked, most))
