"""What a cloud cannot change in place: a new object comes, and the old one goes once nobody uses it."""

from company import Company

LOAD_BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shop/1"


def test_another_kind_of_key_takes_a_new_arn_and_the_old_one_stays_while_it_is_used(
    company: Company,
) -> None:
    company.settle()
    (old,) = company.in_acm("www")
    strangers = company.strangers()
    company.clouds.aws.use(old.id, LOAD_BALANCER)
    company.repository.edit(
        "www.yaml", "  duration", "  privateKey: {algorithm: RSA, size: 2048}\n  duration"
    )
    planned = company.plan()
    assert "a new object, since its key is ECDSA 256" in planned
    assert f"{old.id} stays until nothing uses it" in planned
    assert f"give the new one to {LOAD_BALANCER}" in planned
    company.apply()
    both = {each.id: each for each in company.in_acm("www")}
    (new,) = both.keys() - {old.id}
    assert both[old.id].sha256 == old.sha256
    assert both[new].sha256 == company.bystander.in_vault()["www"].sha256 != old.sha256

    assert f"{old.id} is still used by {LOAD_BALANCER}" in company.plan()
    company.apply(code=4)
    assert len(company.in_acm("www")) == 2

    company.clouds.aws.use(new, LOAD_BALANCER)
    company.clouds.aws.use(old.id)
    planned = company.plan()
    assert "another object took its place" in planned
    assert f'id       = "{old.id}"' in planned
    company.settle()
    (left,) = company.in_acm("www")
    assert left.id == new
    assert len({each.sha256 for each in company.everywhere("www").values()}) == 1
    assert company.strangers() == strangers


def test_what_nobody_uses_goes_in_the_same_run(company: Company) -> None:
    company.settle()
    (old,) = company.in_acm("www")
    company.repository.edit(
        "www.yaml", "  duration", "  privateKey: {algorithm: RSA, size: 2048}\n  duration"
    )
    planned = company.plan()
    assert "a new object takes its place" in planned
    assert f'id       = "{old.id}"' in planned or old.id in planned
    company.settle()
    (left,) = company.in_acm("www")
    assert left.id != old.id
    assert len({each.sha256 for each in company.everywhere("www").values()}) == 1
