"""docs/drift.md tells the truth about metrics, alerts, kinds and moves."""

import re
from pathlib import Path

import yaml
from drifts import every_kind, lifetime
from prometheus_client.parser import text_string_to_metric_families

from reconciler.drifting import Kind
from reconciler.lifetimes import Lifetime
from reconciler.render.metrics import render_metrics
from schemas.plan import IssuerReport, QuotaUse

PAGE = (Path(__file__).parents[2] / "docs" / "drift.md").read_text()


def families() -> dict[str, set[str]]:
    """The labels of every metric, by its name."""
    drift = every_kind()
    blog = lifetime("blog", 3)
    crl, ocsp = (
        Lifetime(f"{kind}/root-g1", "root", blog.not_after, blog.renews_at)
        for kind in ("crl", "ocsp")
    )
    quota = QuotaUse(quota="orders", used=1, most=300, window=10_800)
    issuer = IssuerReport(name="le", orders=1, now=1, waits=0, quotas=(quota,))
    plan = drift.plan.model_copy(update={"issuers": (issuer,)})
    drift = type(drift)(plan, drift.differences, drift.unchecked, (blog, crl, ocsp))
    found = text_string_to_metric_families(render_metrics(drift))
    return {each.name: {name for s in each.samples for name in s.labels} for each in found}


def rules() -> list[dict[str, str]]:
    blocks = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    (groups,) = (block["groups"] for block in blocks if "groups" in block)
    return [rule for group in groups for rule in group["rules"]]


def test_every_metric_is_described_with_its_labels() -> None:
    rows = re.findall(r"^\| `(certform_\w+)` \| (.*?) \|", PAGE, re.MULTILINE)
    told = {name: {"project", *re.findall(r"`(\w+)`", labels)} for name, labels in rows}
    assert told == families()


def test_alerts_are_on_metrics_and_labels_that_there_are() -> None:
    known = families()
    for rule in rules():
        used = set(re.findall(r"certform_\w+", rule["expr"]))
        assert used
        assert used <= set(known)
        labels = re.findall(r"\$labels\.(\w+)", str(rule.get("annotations")))
        assert set(labels) <= set.union(*(known[name] for name in used))
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_alerts_ask_for_kinds_that_there_are() -> None:
    asked = {kind for rule in rules() for kind in re.findall(r'kind="(\w+)"', rule["expr"])}
    assert asked
    assert asked <= set(Kind)
    assert re.findall(r"^\| (overdue|outside|blocked|pending) \|", PAGE, re.MULTILINE) == list(Kind)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)", PAGE):
        assert (Path(__file__).parents[2] / "docs" / target).exists(), target
