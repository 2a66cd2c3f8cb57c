"""What happens to a certificate in the clouds while it lives: renewals, new places, new names, its end."""

from company import Company


def test_a_renewal_keeps_every_identity_and_changes_the_fingerprint_everywhere(
    company: Company,
) -> None:
    company.settle()
    before = company.everywhere("www")
    (arn,) = {each.id for each in company.in_acm("www")}
    company.repository.edit("www.yaml", "renewBefore: 5m", "renewBefore: 18m")
    assert "1 to renew, 4 to install" in company.plan()
    company.run("renew")
    company.repository.edit("www.yaml", "renewBefore: 18m", "renewBefore: 5m")
    after = company.everywhere("www")
    assert [each.id for each in company.in_acm("www")] == [arn]
    assert after.keys() == before.keys()
    assert len({(each.serial, each.sha256) for each in after.values()}) == 1
    assert after["vault"].sha256 != before["vault"].sha256
    assert "No changes." in company.plan()


def test_a_region_is_added_and_another_cloud_left(company: Company) -> None:
    """With the default custody the key is gone, so the new region means a new certificate for all."""
    company.settle()
    strangers, (arn,) = company.strangers(), company.in_acm("www")
    company.repository.edit("config/acm.yaml", "[eu-west-1]", "[eu-west-1, us-east-1]")
    company.repository.edit("www.yaml", "[acm, vault, google, edge]", "[acm, google, edge]")
    planned = company.plan()
    assert "us-east-1" in planned
    assert "1 to remove" in planned
    company.settle()
    found = company.everywhere("www")
    assert set(found) == {"eu-west-1", "us-east-1", "google", "edge"}
    assert len({each.sha256 for each in found.values()}) == 1
    assert [each.id for each in company.in_acm("www")] == [arn.id]
    assert company.strangers() == strangers


def test_another_name_for_a_certificate_keeps_its_arn(company: Company) -> None:
    company.repository.edit("www.yaml", "[acm, vault, google, edge]", "[acm]")
    company.settle()
    (before,) = company.in_acm("www")
    company.repository.edit("www.yaml", "{name: www}", "{name: site, formerly: [www]}")
    company.settle()
    (after,) = company.in_acm("site")
    assert (after.id, after.sha256) == (before.id, before.sha256)
    assert company.in_acm("www") == []


def test_a_certificate_that_no_document_names_leaves_every_cloud(company: Company) -> None:
    company.settle()
    strangers = company.strangers()
    (company.repository.root / "www.yaml").unlink()
    assert "4 to remove" in company.plan()
    company.settle()
    assert company.everywhere("www") == {}
    assert company.strangers() == strangers
    assert {each.name for each in company.bystander.vault.list_deleted_certificates()} == {"www"}


def test_a_certificate_that_is_forgotten_stays_without_our_labels(company: Company) -> None:
    company.repository.edit("www.yaml", "  duration", "  onRemove: forget\n  duration")
    company.settle()
    before = company.everywhere("www")
    (company.repository.root / "www.yaml").unlink()
    assert "4 to forget" in company.plan()
    company.settle()
    left = [
        each
        for place in (
            company.bystander.in_acm("eu-west-1"),
            company.bystander.in_vault(),
            company.bystander.at_google(),
        )
        for each in place.values()
        if each.sha256 == before["vault"].sha256
    ]
    assert [dict(each.labels) for each in left] == [{}, {}, {}]
    assert company.everywhere("www")["edge"].sha256 == before["edge"].sha256
