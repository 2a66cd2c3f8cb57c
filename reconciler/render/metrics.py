"""Drift and expiry as metrics for Prometheus' textfile collector, in the text format 0.0.4.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.drifting import Drift, Kind
from reconciler.render.escape import visible
from schemas.plan import Action

_FIXED_POINT = {"\\": r"\\", '"': r"\"", "\n": r"\n"}


@dataclass(frozen=True, slots=True)
class Metric:
    """One gauge: its name, what it says, and each value with the labels it has."""

    name: str
    help: str
    samples: Sequence[tuple[Mapping[str, str], float]]


def render_metrics(drift: Drift) -> str:
    """Return all metrics, times as Unix time in seconds; every one has the label `project`.

    There is a series for what exists and for each word of a list, and for nothing else.
    """
    project = {"project": drift.plan.project}
    lines = [line for metric in _metrics(drift) for line in _lines(metric, project)]
    return "".join(f"{line}\n" for line in lines)


def _metrics(drift: Drift) -> Iterator[Metric]:
    yield Metric(
        "certform_build_info",
        "The certform that looked.",
        [({"version": drift.plan.certform_version}, 1)],
    )
    yield Metric(
        "certform_last_check_timestamp_seconds",
        "When certform last looked at everything, though it may not have seen all of it.",
        [({}, drift.plan.created_at.timestamp())],
    )
    yield from _ends(drift)
    yield Metric(
        "certform_target_up",
        "Whether a place could be looked at; places on other hosts are left out.",
        list(_targets(drift)),
    )
    yield Metric(
        "certform_drift",
        "Differences between the world and the documents.",
        [({"kind": kind}, len(drift.of(kind))) for kind in Kind],
    )
    yield Metric(
        "certform_issuer_quota_left",
        "What is left of a CA's quota, what is left for people included.",
        [
            ({"issuer": issuer.name, "quota": use.quota, "of": use.of or ""}, use.most - use.used)
            for issuer in drift.plan.issuers
            for use in issuer.quotas
        ],
    )
    actions = Counter(step.action for step in drift.plan.changes)
    yield Metric(
        "certform_pending_changes",
        "What one apply would do, changes that are due and not late included.",
        [({"action": action}, actions[action]) for action in Action],
    )


def _ends(drift: Drift) -> Iterator[Metric]:
    """Yield when everything ends and falls due, CRLs apart from certificates."""
    leaves = [life for life in drift.lifetimes if not life.address.startswith(("crl/", "ocsp/"))]
    named = [({"certificate": life.address, "issuer": life.issuer}, life) for life in leaves]
    yield Metric(
        "certform_certificate_not_after_timestamp_seconds",
        "When the first of what stands for a certificate ends, in the ledger or in a target.",
        [(labels, life.not_after.timestamp()) for labels, life in named],
    )
    yield Metric(
        "certform_certificate_renewal_timestamp_seconds",
        "When a certificate falls due for renewal.",
        [(labels, life.renews_at.timestamp()) for labels, life in named if life.renews_at],
    )
    lists = [life for life in drift.lifetimes if life.address.startswith("crl/")]
    yield Metric(
        "certform_crl_next_update_timestamp_seconds",
        "When the last CRL that was signed is no longer to be believed.",
        [
            ({"crl": life.address, "issuer": life.issuer}, life.not_after.timestamp())
            for life in lists
        ],
    )
    answers = [life for life in drift.lifetimes if life.address.startswith("ocsp/")]
    yield Metric(
        "certform_ocsp_next_update_timestamp_seconds",
        "When the OCSP responses that were signed last are no longer to be believed.",
        [
            ({"ocsp": life.address, "issuer": life.issuer}, life.not_after.timestamp())
            for life in answers
        ],
    )


def _targets(drift: Drift) -> Iterator[tuple[Mapping[str, str], float]]:
    unread = {each.name for each in drift.unchecked}
    looked_at = {each.name for each in drift.plan.targets if each.status != "not-here"}
    for name in sorted(looked_at | unread):
        yield {"target": name}, 0 if name in unread else 1


def _lines(metric: Metric, common: Mapping[str, str]) -> Iterator[str]:
    if not metric.samples:
        return
    yield f"# HELP {metric.name} {metric.help}"
    yield f"# TYPE {metric.name} gauge"
    for labels, value in metric.samples:
        told = ",".join(f'{key}="{_escaped(text)}"' for key, text in {**common, **labels}.items())
        yield f"{metric.name}{{{told}}} {value:.0f}"


def _escaped(text: str) -> str:
    """Return a label's value as it is written between quotes; no byte of it is outside UTF-8."""
    return "".join(_FIXED_POINT.get(sign, sign) for sign in visible(text))
