"""Metrics as Prometheus reads them."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

import pytest
from drifts import HOSTILE, NOW, drifted, every_kind, hostile, lifetime, many, unreadable
from prometheus_client.parser import text_string_to_metric_families

from reconciler.drifting import Drift, Kind
from reconciler.lifetimes import Lifetime
from reconciler.render.metrics import render_metrics
from schemas.plan import Action, Change, IssuerReport, QuotaUse, Reason

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(drift: Drift) -> Series:
    """Read metrics with Prometheus' own parser; a series that is there twice is a mistake."""
    found: Series = {}
    for family in text_string_to_metric_families(render_metrics(drift)):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            assert key not in found, key
            found[key] = sample.value
    return found


def value(drift: Drift, name: str, **labels: str) -> float | None:
    project = {"project": drift.plan.project}
    return read(drift).get((name, tuple(sorted({**project, **labels}.items()))))


def test_every_metric_is_as_it_was(golden: Callable[[str, str], None]) -> None:
    golden("drift/every.prom", render_metrics(every_kind()))


@pytest.mark.parametrize("make", [every_kind, many, drifted])
def test_any_drift_can_be_read(make: Callable[[], Drift]) -> None:
    assert value(make(), "certform_last_check_timestamp_seconds") == NOW.timestamp()


def test_each_family_is_described_once_and_stands_together() -> None:
    text = render_metrics(every_kind())
    kinds = re.findall(r"^# TYPE (\S+) gauge$", text, re.MULTILINE)
    assert re.findall(r"^# HELP (\S+) ", text, re.MULTILINE) == kinds
    assert Counter(kinds).most_common(1)[0][1] == 1
    names = [line.partition("{")[0] for line in text.splitlines() if not line.startswith("#")]
    assert [name for name, _ in groupby(names)] == kinds
    assert text.endswith("\n")


def test_whatever_a_name_holds_comes_back_from_the_parser() -> None:
    found = replace(hostile(), lifetimes=(Lifetime(HOSTILE, HOSTILE, NOW, NOW),))
    labels = [dict(labels) for (_, labels) in read(found)]
    names = {label["certificate"] for label in labels if "certificate" in label}
    assert names == {
        HOSTILE.replace("\x1b", r"\x1b").replace("\n", r"\n").replace("\u202e", r"\u202e")
    }


def test_when_a_certificate_ends_and_falls_due_is_told_in_unix_time() -> None:
    drift = drifted(lifetimes=(lifetime("blog", 3),))
    labels = {"certificate": "certificate/blog", "issuer": "services"}
    end = NOW.timestamp() + 3 * 86_400
    assert value(drift, "certform_certificate_not_after_timestamp_seconds", **labels) == end
    renewal = value(drift, "certform_certificate_renewal_timestamp_seconds", **labels)
    assert renewal == end - 10 * 86_400


def test_a_crl_is_no_certificate() -> None:
    drift = drifted(lifetimes=(Lifetime("crl/root-g1", "root", NOW, NOW),))
    name = "certform_crl_next_update_timestamp_seconds"
    assert value(drift, name, crl="crl/root-g1", issuer="root") == NOW.timestamp()
    assert not [key for key in read(drift) if key[0].startswith("certform_certificate")]


def test_responses_are_neither_certificates_nor_lists() -> None:
    drift = drifted(lifetimes=(Lifetime("ocsp/root-g1", "root", NOW, NOW),))
    name = "certform_ocsp_next_update_timestamp_seconds"
    assert value(drift, name, ocsp="ocsp/root-g1", issuer="root") == NOW.timestamp()
    assert not [key for key in read(drift) if key[0].startswith(("certform_cert", "certform_crl"))]


def test_a_place_that_could_not_be_read_is_down_and_one_elsewhere_is_not_told() -> None:
    drift = every_kind()
    ups = {t: value(drift, "certform_target_up", target=t) for t in ("edge", "vault", "mesh")}
    assert ups == {"edge": 1, "vault": 0, "mesh": None}
    assert value(drifted(unreadable("publish")), "certform_target_up", target="publish") == 0


def test_each_kind_and_each_action_has_a_number_also_when_it_is_none() -> None:
    step = Change(
        address="certificate/a", action=Action.ISSUE, reason=Reason.RENEWING, message="", due=True
    )
    drift = drifted()
    drift = replace(drift, plan=drift.plan.model_copy(update={"changes": (step,)}))
    assert [value(drift, "certform_drift", kind=kind) for kind in Kind] == [0] * len(Kind)
    numbers = {a: value(drift, "certform_pending_changes", action=a) for a in Action}
    assert numbers == {**dict.fromkeys(Action, 0), Action.ISSUE: 1}


def test_what_is_left_of_a_quota_is_told_by_what_it_counts() -> None:
    used = (
        QuotaUse(quota="orders", used=37, most=300, window=10800),
        QuotaUse(quota="certificates", of="example.com", used=45, most=50, window=604800),
    )
    report = IssuerReport(name="le", orders=1, now=1, waits=0, quotas=used)
    drift = every_kind()
    drift = replace(drift, plan=drift.plan.model_copy(update={"issuers": (report,)}))
    left = "certform_issuer_quota_left"
    assert value(drift, left, issuer="le", quota="orders", of="") == 263
    assert value(drift, left, issuer="le", quota="certificates", of="example.com") == 5
