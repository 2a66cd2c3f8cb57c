"""OCSP of an Authority: whether its responses can be made, have a place, and live as long as is of use."""

from collections.abc import Iterator
from datetime import timedelta

from reconciler.diagnostics import Diagnostic, error, warning
from reconciler.load.documents import Place
from schemas.authority import AuthoritySpec
from schemas.custody import Kept
from schemas.scalars import format_duration

SHORTEST = timedelta(hours=8)
LONGEST = timedelta(days=10)
"""From thisUpdate to nextUpdate, of CAs that the public trusts (CA/B BR 4.9.9)."""


def check_ocsp(spec: AuthoritySpec, place: Place, *, publishes: bool) -> Iterator[Diagnostic]:
    """Yield what is wrong with the responses that an Authority asks for; nothing where it asks for none."""
    if spec.ocsp is None:
        return
    at = place.at("spec", "ocsp", key=True)
    if not publishes:
        hint = "set spec.publish in certform.yaml: certificates say where the responses are"
        yield error("ocsp needs a place to publish at", at, hint=hint)
    if isinstance(spec.private_key.custody, Kept):
        hint = "leave ocsp out, and set crl.duration: a CRL is signed at a ceremony, for months"
        summary = "ocsp needs the CA's key every few days, and it is not at hand here"
        yield error(summary, at, hint=hint)
    yield from _check_terms(spec, place)


def _check_terms(spec: AuthoritySpec, place: Place) -> Iterator[Diagnostic]:
    ocsp = spec.ocsp
    if ocsp is None:
        return
    lives, before = format_duration(ocsp.duration), ocsp.refresh_before
    if before is not None and not timedelta() < before < ocsp.duration:
        summary = f"refreshBefore has to be shorter than the responses live ({lives})"
        hint = "leave it out for half of that"
        yield error(summary, place.at("spec", "ocsp", "refreshBefore"), hint=hint)
    if not SHORTEST <= ocsp.duration <= LONGEST:
        summary = (
            f"responses that live {lives} are not what CAs of the public may have (8 h to 10 d)"
        )
        hint = "fine for a CA of your own; see docs/ocsp.md for what a short or a long life costs"
        yield warning(summary, place.at("spec", "ocsp", "duration"), hint=hint)
