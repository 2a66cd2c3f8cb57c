"""When documents want renewals: by a share of the life that another CA decides, and who asks that CA."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from reconciler.leads import Share
from reconciler.repository import Examination
from schemas.acme import RenewalInformation
from schemas.project import AdviceAsking

Examine = Callable[..., Examination]
DAY = timedelta(days=1)
ISSUER = """\
kind: Issuer
metadata: {name: public}
spec:
  acme:
    server: https://ca.example.com/directory
    privateKeySecretRef: {name: secrets/acme.sops.yaml, key: account}
    solvers: [{http01: {standalone: {}}}]
"""
SECRET = "account: ENC[AES256_GCM,data:dGVzdA==,iv:dGVzdA==,tag:dGVzdA==,type:str]\nsops: {}\n"
PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: example}
spec:
  keyring: [{age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]
"""


def found(examined: Examine, fields: str = "", issuer: str = ISSUER, more: str = "") -> Examination:
    leaf = "kind: Certificate\nmetadata: {name: leaf}\nspec:\n  dnsNames: [a.example.com]\n"
    return examined(
        {
            "certform.yaml": PROJECT + more,
            "config/issuer.yaml": issuer,
            "leaf.yaml": f"{leaf}  issuerRef: public\n  targets: [disk]\n{fields}",
            "secrets/acme.sops.yaml": SECRET,
        }
    )


@pytest.mark.parametrize(
    ("fields", "share"),
    [
        ("", Share()),
        ("  renewBefore: 10d\n", Share(asked=10 * DAY)),
        ("  renewBeforePercentage: 20%\n", Share(20)),
        ("  renewBefore: 100d\n", Share(asked=100 * DAY)),
    ],
)
def test_at_a_ca_that_decides_how_long_it_lives_it_is_a_share_of_that(
    examined: Examine, fields: str, share: Share
) -> None:
    desired = found(examined, fields).desired
    assert desired is not None
    assert desired.certificates["leaf"].renew_before == share


@pytest.mark.parametrize("percent", ["0%", "100%"])
def test_a_share_that_is_all_or_nothing_is_an_error(examined: Examine, percent: str) -> None:
    (wrong,) = found(examined, f"  renewBeforePercentage: {percent}\n").diagnostics
    assert "does not fit a life of 90d" in wrong.summary
    assert wrong.source is not None
    assert (wrong.source.file, wrong.source.line) == ("leaf.yaml", 7)


def test_a_ca_is_asked_and_a_plan_does_not_ask_unless_it_is_written(examined: Examine) -> None:
    desired = found(examined).desired
    assert desired is not None
    assert desired.issuers["public"].spec.advises
    assert desired.renewal_information is AdviceAsking.APPLY
    silent = ISSUER + f"    renewalInformationSource: {RenewalInformation.NONE}\n"
    other = found(examined, issuer=silent, more="  renewalInformation: plan\n").desired
    assert other is not None
    assert not other.issuers["public"].spec.advises
    assert other.renewal_information is AdviceAsking.PLAN


def test_who_asks_is_one_of_two_words(examined: Examine) -> None:
    (wrong,) = found(examined, more="  renewalInformation: always\n").diagnostics
    assert wrong.source is not None
    assert (wrong.source.file, wrong.source.line) == ("certform.yaml", 6)
