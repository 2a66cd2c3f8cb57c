"""A cloud that refuses or answers half: its target is unknown, others go on, the next run converges."""

import pytest
from aws_errors import Refusal
from company import Company
from wire import Response, Way

FORBIDDEN = {
    "aws": Refusal("AccessDeniedException", "not authorized").as_json(),
    "azure": Response(
        403,
        b'{"error": {"code": "Forbidden", "message": "no", "innererror": {"code": "ForbiddenByRbac"}}}',
        {"Content-Type": "application/json"},
    ),
    "gcp": Response(
        403,
        b'{"error": {"code": 403, "message": "denied", "status": "PERMISSION_DENIED"}}',
        {"Content-Type": "application/json"},
    ),
}
TARGETS = {"aws": "acm/eu-west-1", "azure": "vault", "gcp": "google/global"}
LISTINGS = {
    "aws": ("SearchCertificates", "ListCertificates"),
    "azure": ("ListCertificates",),
    "gcp": ("ListCertificates",),
}


@pytest.mark.parametrize("cloud", ["aws", "azure", "gcp"])
def test_one_cloud_that_refuses_stops_nothing_elsewhere(company: Company, cloud: str) -> None:
    company.settle()
    before = company.everywhere("www")
    strangers = company.strangers()
    company.repository.edit("www.yaml", "[www.example.com]", "[www.example.com, example.com]")
    wire = company.clouds.wires[cloud]
    for operation in LISTINGS[cloud]:
        wire.fail(operation, Way.REFUSED, FORBIDDEN[cloud], times=None)
    planned = company.plan()
    (line,) = (line for line in planned.splitlines() if line.startswith(f"  {TARGETS[cloud]} "))
    assert "COULD NOT CHECK" in line
    company.apply(code=4)
    wire.heal()
    after = company.everywhere("www")
    changed = {place for place in before if before[place].sha256 != after[place].sha256}
    assert before.keys() - changed == {TARGETS[cloud].removeprefix("acm/").removesuffix("/global")}
    company.settle()
    assert len({each.sha256 for each in company.everywhere("www").values()}) == 1
    assert company.strangers() == strangers


def test_an_import_whose_answer_is_lost_is_read_back_and_not_done_twice(company: Company) -> None:
    """The certificate is there although nobody was told so: in every cloud just one comes of it."""
    for wire, operation in zip(
        company.clouds.wires.values(),
        ("ImportCertificate", "ImportCertificate", "CreateCertificate"),
        strict=True,
    ):
        wire.fail(operation, Way.UNANSWERED)
    company.settle()
    assert len(company.in_acm("www")) == 1
    assert len({each.sha256 for each in company.everywhere("www").values()}) == 1
    assert company.clouds.aws.wire.counts["ImportCertificate"] == 3, "two strangers' and ours"
    assert company.clouds.gcp.wire.counts["CreateCertificate"] == 2


def test_a_run_that_is_told_to_wait_waits_and_succeeds(company: Company) -> None:
    slow_down = {
        "aws": Refusal("ThrottlingException", "Rate exceeded").as_json(),
        "azure": Response(429, b"{}", {"Retry-After": "1"}),
        "gcp": Response(429, b'{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}'),
    }
    for cloud, wire in company.clouds.wires.items():
        wire.fail("ListCertificates", Way.REFUSED, slow_down[cloud])
        wire.fail("SearchCertificates", Way.REFUSED, slow_down[cloud])
        wire.fail("ImportCertificate", Way.REFUSED, slow_down[cloud])
        wire.fail("CreateCertificate", Way.REFUSED, slow_down[cloud])
    company.settle()
    assert len({each.sha256 for each in company.everywhere("www").values()}) == 1
