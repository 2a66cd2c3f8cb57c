"""ML-DSA keys, as documents ask for them: where they cannot be is told with its place."""

from collections.abc import Callable

import pytest

from providers import mldsa
from reconciler.repository import Examination

HIERARCHY = """\
kind: Authority
metadata: {name: quantum}
spec: {commonName: Quantum, privateKey: {algorithm: ML-DSA, size: 87}}
---
kind: Authority
metadata: {name: issuing}
spec: {parentRef: quantum, commonName: Issuing, privateKey: {algorithm: ML-DSA, size: 65}}
"""
LEAF = """\
kind: Certificate
metadata: {name: leaf}
spec:
  issuerRef: issuing
  dnsNames: [leaf.svc.internal]
  privateKey: {algorithm: ML-DSA}
  targets: [disk]
"""
ACM = "kind: Target\nmetadata: {name: acm}\nspec: {aws-acm: {regions: [eu-west-1]}}\n"
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_a_hierarchy_and_a_leaf_may_be_of_it(examined: Callable[..., Examination]) -> None:
    found = examined({"authorities/q.yaml": HIERARCHY, "leaf.yaml": LEAF})
    assert found.diagnostics == ()
    assert found.desired is not None
    authorities, leaf = found.desired.authorities, found.desired.certificates["leaf"]
    assert [str(authorities[name].request.key) for name in ("quantum", "issuing")] == [
        *("ML-DSA-87", "ML-DSA-65")
    ]
    assert str(leaf.request.key) == "ML-DSA-44"


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"leaf.yaml": LEAF.replace("ML-DSA", "ML-DSA, size: 50")}, "there is no ML-DSA-50"),
        (
            {"leaf.yaml": LEAF.replace("disk", "acm"), "config/acm.yaml": ACM},
            "cannot hold a key of type ML-DSA-44",
        ),
        (
            {
                "authorities/k.yaml": "kind: Authority\nmetadata: {name: k}\nspec:\n  commonName: K\n"
                f"  privateKey: {{algorithm: ML-DSA, custody: {{aws-kms: '{ARN}'}}}}\n"
            },
            "aws-kms signs with no ML-DSA-44 key",
        ),
        (
            {
                "leaf.yaml": LEAF,
                "config/p.yaml": "kind: Policy\nmetadata: {name: p}\n"
                "spec: {selector: {paths: ['**']}, baseline: cabf-tls}\n",
            },
            "ML-DSA-44 is none of RSA",
        ),
    ],
    ids=["set", "cloud", "key service", "baseline"],
)
def test_where_it_cannot_be_is_told(
    examined: Callable[..., Examination], files: dict[str, str], said: str
) -> None:
    found = examined({"authorities/q.yaml": HIERARCHY, **files})
    assert any(said in d.summary for d in found.diagnostics), found.diagnostics
    assert found.desired is None


def test_a_library_without_it_is_told_at_the_line(
    examined: Callable[..., Examination], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mldsa, "PRIVATE", {})
    mldsa.is_available.cache_clear()
    found = examined({"authorities/q.yaml": HIERARCHY})
    mldsa.is_available.cache_clear()
    wrong = [(d.summary, str(d.source)) for d in found.diagnostics]
    needed = "ML-DSA needs cryptography 49 or newer where certform runs"
    assert wrong == [(needed, "authorities/q.yaml:3"), (needed, "authorities/q.yaml:7")]
