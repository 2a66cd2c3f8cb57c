"""Somebody deletes or replaces a certificate by hand; the plan shows it, and apply puts it right."""

from bystander import Pair
from company import PARENT, Company


def test_what_was_deleted_by_hand_comes_back(company: Company) -> None:
    company.settle()
    before, (arn,) = company.everywhere("www"), company.in_acm("www")
    company.bystander.acm("eu-west-1").delete_certificate(CertificateArn=arn.id)
    company.bystander.vault.begin_delete_certificate("www").result()
    company.bystander.google.delete_certificate(name=f"{PARENT}/certificates/www").result(
        timeout=30
    )
    planned = company.plan()
    assert "observed, 0 certificates, and 1 of others" in planned
    assert "4 to install" in planned
    assert planned.count("follows the new certificate; nothing is installed there") == 3
    company.settle()
    found = company.everywhere("www")
    assert found.keys() == before.keys()
    assert len({each.sha256 for each in found.values()}) == 1
    assert found["vault"].sha256 != before["vault"].sha256, "the key was kept nowhere else"


def test_what_was_replaced_by_hand_is_shown_and_replaced_again(company: Company) -> None:
    company.settle()
    (arn,) = company.in_acm("www")
    vault, google = company.everywhere("www")["vault"], company.everywhere("www")["google"]
    by_hand = Pair.made("www.example.com")
    company.bystander.put_in_acm("eu-west-1", by_hand, arn.id)
    company.bystander.put_in_vault("www", by_hand, **vault.labels)
    company.bystander.replace_at_google("www", by_hand)
    spoilt = company.everywhere("www")
    assert len({each.sha256 for each in spoilt.values()}) == 2
    planned = company.plan()
    told = f"follows the new certificate; serial {spoilt['vault'].serial} was found instead"
    assert planned.count(told) == 2
    assert "follows the new certificate; another certificate is there than was installed" in planned
    assert "4 to install" in planned
    company.settle()
    found = company.everywhere("www")
    assert len({each.sha256 for each in found.values()}) == 1
    assert spoilt["vault"].sha256 not in {each.sha256 for each in found.values()}
    assert (found["eu-west-1"].id, found["google"].id) == (arn.id, google.id)


def test_labels_of_others_stay_and_ours_come_back(company: Company) -> None:
    company.settle()
    (before,) = company.in_acm("www")
    client = company.bystander.acm("eu-west-1")
    client.add_tags_to_certificate(
        CertificateArn=before.id, Tags=[{"Key": "cost-centre", "Value": "42"}]
    )
    client.remove_tags_from_certificate(CertificateArn=before.id, Tags=[{"Key": "certform-spec"}])
    company.settle()
    (after,) = company.in_acm("www")
    assert after.labels == {**before.labels, "cost-centre": "42"}
    assert (after.id, after.sha256) == (before.id, before.sha256)
