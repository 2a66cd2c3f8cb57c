"""Certificates that somebody else put into the clouds are found, taken over as they are, and renewed."""

import re

from bystander import Seen
from company import Company


def test_what_others_made_is_discovered_and_adopted_and_keeps_its_identity(
    company: Company,
) -> None:
    company.repository.edit("www.yaml", "[acm, vault, google, edge]", "[edge]")
    company.settle()
    before = {id_: seen for id_, seen in company.strangers().items() if "us-east-1" not in id_}
    assert len(before) == 3
    company.run("discover", "--write", "adopted")
    assert "issuerRef: web" in (company.repository.root / "adopted" / "acm.yaml").read_text()
    assert "3 to adopt" in company.plan()
    asked = company.asked(company.apply)
    assert not any(each.startswith("Import") for wire in asked.values() for each in wire)
    assert "No changes. 4 certificates match" in company.plan()
    adopted = held(company)
    assert {id_: seen.sha256 for id_, seen in adopted.items()} == {
        id_: seen.sha256 for id_, seen in before.items()
    }
    assert all(seen.labels["team"] == "billing" for seen in adopted.values())

    names = sorted({seen.name for seen in adopted.values()})
    company.run("apply", "--auto-approve", *(f"--replace=certificate/{name}" for name in names))
    renewed = held(company)
    assert {versionless(id_) for id_ in renewed} == {versionless(id_) for id_ in before}
    assert not {seen.sha256 for seen in renewed.values()} & {s.sha256 for s in before.values()}
    assert "No changes. 4 certificates match" in company.plan()


def held(company: Company) -> dict[str, Seen]:
    """What is ours in the clouds, by its identity."""
    places = (
        company.bystander.in_acm("eu-west-1"),
        company.bystander.in_vault(),
        company.bystander.at_google(),
    )
    return {seen.id: seen for place in places for seen in place.values() if seen.name}


def versionless(id_: str) -> str:
    """An identity without a vault's version."""
    return re.sub(r"(/certificates/[^/]+)/[0-9a-f]{32}$", r"\1", id_)
