"""What follows a CA's generation: when its certificate is renewed, and what may be signed ahead."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

from reconciler.diagnostics import Diagnostic, error
from reconciler.load.documents import Place
from reconciler.state import DesiredAuthority, DesiredCertificate
from schemas.authority import AuthoritySpec
from schemas.custody import Kept
from schemas.request import AuthorityRequest, LeafRequest
from schemas.scalars import format_duration

LATEST = 0.9
"""The share of its life that a CA's certificate may be renewed before its end."""


def check_generations(
    spec: AuthoritySpec, lifetime: timedelta, place: Place
) -> Iterator[Diagnostic]:
    """Yield what is asked for of a CA's next generation, or its next certificate, and cannot be."""
    custody = spec.private_key.custody
    if spec.standby and custody is Kept.NONE:
        yield error("nobody has its key, so nothing is signed ahead", place.at("spec", "standby"))
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
    if spec.renew_before is not None and spec.renew_before >= lifetime:
        lives = format_duration(lifetime)
        summary = f"renewBefore must be shorter than its life ({lives})"
        yield error(summary, place.at("spec", "renewBefore"))


def with_renewals(
    authorities: Mapping[str, DesiredAuthority], certificates: Iterable[DesiredCertificate]
) -> Mapping[str, DesiredAuthority]:
    """Return CAs with the time before their end that they are renewed, by what each of them issues."""
    longest: dict[str, int] = {}
    requests: list[LeafRequest | AuthorityRequest] = [c.request for c in certificates]
    requests += [ca.request for ca in authorities.values()]
    for request in requests:
        issuer = str(request.issuer)
        longest[issuer] = max(longest.get(issuer, 0), request.duration)
    return {name: _renewed(ca, longest.get(name, 0)) for name, ca in authorities.items()}


def _renewed(authority: DesiredAuthority, longest: int) -> DesiredAuthority:
    """Return a CA that is renewed while what it issues can still live its whole life."""
    asked = max(authority.renew_before, timedelta(seconds=longest))
    most = timedelta(seconds=int(authority.request.duration * LATEST))
    return replace(authority, renew_before=min(asked, most))
