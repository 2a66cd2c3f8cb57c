"""A company puts one certificate into three clouds and onto its own machine, for the first time."""

from collections import Counter

from company import WRITES, Company


def test_every_place_gets_the_same_certificate_and_then_there_is_nothing_to_do(
    company: Company,
) -> None:
    strangers = company.strangers()
    planned = company.plan()
    assert "3 to issue (2 CAs), 4 to install" in planned
    assert planned.count("and 1 of others, left alone") == 3
    company.apply()
    found = company.everywhere("www")
    assert set(found) == {"eu-west-1", "vault", "google", "edge"}
    assert len({(each.serial, each.sha256) for each in found.values()}) == 1
    owners = {each.labels["certform-owner"] for each in found.values() if each.labels}
    assert len(owners) == 1
    assert company.strangers() == strangers
    assert "No changes. 1 certificate matches" in company.plan()


def test_a_plan_asks_and_never_writes(company: Company) -> None:
    first = company.asked(company.plan)
    company.apply()
    company.write(
        "api.yaml",
        "kind: Certificate\nmetadata: {name: api}\n"
        "spec: {issuerRef: web, dnsNames: [api.example.com], targets: [acm, vault, google]}\n",
    )
    company.repository.edit("www.yaml", "[www.example.com]", "[www.example.com, example.com]")
    for asked in (first, company.asked(company.plan)):
        assert all(asked.values()), "each cloud was asked"
        assert [each for wire in asked.values() for each in wire if WRITES.match(each)] == []
    written = company.asked(company.apply)
    assert {
        cloud: Counter(each for each in asked if each.startswith(("Import", "Create", "Update")))
        for cloud, asked in written.items()
    } == {
        "aws": Counter(ImportCertificate=2),
        "azure": Counter(ImportCertificate=2),
        "gcp": Counter(CreateCertificate=1, UpdateCertificate=1),
    }
