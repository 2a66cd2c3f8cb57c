"""How CAs tell of what they revoked: what cannot be kept."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from reconciler.diagnostics import Diagnostic, error
from reconciler.resolve.catalogue import Catalogue
from reconciler.state import DesiredAuthority
from schemas.scalars import format_duration


def check_crls(
    everything: Catalogue, authorities: Mapping[str, DesiredAuthority]
) -> Iterator[Diagnostic]:
    """Yield terms of CRLs that contradict each other, and any of a CA that signs none."""
    for name in sorted(authorities):
        desired = authorities[name]
        entry = everything.authorities.entries[name]
        spec, place = entry.spec.crl, entry.document
        if desired.crl_duration <= timedelta():
            yield error("a CRL must live for a while", place.at("spec", "crl", "duration"))
        elif spec.refresh_before is not None and not _fits(desired):
            lives = format_duration(desired.crl_duration)
            summary = f"refreshBefore must be shorter than a CRL lives ({lives}), and not nothing"
            hint = "half of its life is the default: leave it out, or give a longer duration"
            yield error(summary, place.at("spec", "crl", "refreshBefore"), hint=hint)
        if desired.is_anchor and "crl" in entry.spec.model_fields_set:
            summary = "nobody has its key, so nobody signs a CRL for it"
            yield error(summary, place.at("spec", "crl", key=True), hint="leave `crl` out")


def _fits(desired: DesiredAuthority) -> bool:
    before = desired.crl_refresh
    return before is None or timedelta() < before < desired.crl_duration
