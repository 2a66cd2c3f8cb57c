"""Keys that certform never sees: made in a vault, or by a cloud that issues a certificate by itself."""

from company import Company

WWW = """\
kind: Certificate
metadata: {name: www}
spec:
  issuerRef: web
  duration: 20m
  renewBefore: 5m
  dnsNames: [www.example.com]
  privateKey: {custody: target}
  targets: [vault]
"""
HOSTED = """\
kind: Certificate
metadata: {name: status}
spec: {issuerRef: google-managed, dnsNames: [status.example.com], targets: [google]}
"""


def test_a_key_that_a_vault_makes_never_crosses_the_wire(company: Company) -> None:
    company.write("www.yaml", WWW)
    asked = company.asked(company.settle)["azure"]
    assert asked.count("CreateCertificate") == 1
    assert asked.count("MergeCertificate") == 1
    assert "ImportCertificate" not in asked
    before = company.bystander.in_vault()["www"]
    assert before.certificate is not None

    company.repository.edit("www.yaml", "renewBefore: 5m", "renewBefore: 18m")
    company.run("renew")
    company.repository.edit("www.yaml", "renewBefore: 18m", "renewBefore: 5m")
    after = company.bystander.in_vault()["www"]
    assert after.certificate is not None
    assert after.certificate.public_key() != before.certificate.public_key()
    assert after.certificate.issuer == before.certificate.issuer
    assert "No changes." in company.plan()


def test_a_cloud_that_issues_by_itself_waits_for_dns_and_renews_without_a_change(
    company: Company,
) -> None:
    (company.repository.root / "www.yaml").unlink()
    company.write(
        "config/issuers.yaml",
        "kind: Issuer\nmetadata: {name: google-managed}\nspec: {gcp-certificate-manager: {}}\n",
    )
    company.write("status.yaml", HOSTED)
    company.apply()
    assert "_acme-challenge.status.example.com. CNAME" in company.plan()
    (name,) = company.clouds.gcp.waiting()
    company.clouds.gcp.provision(name)
    assert "No changes." in company.plan()
    issued = company.bystander.at_google()["status"]
    company.clouds.gcp.provision(name)
    renewed = company.bystander.at_google()["status"]
    assert renewed.sha256 != issued.sha256
    assert "No changes." in company.plan()
    (company.repository.root / "status.yaml").unlink()
    assert "1 to remove" in company.plan()
    company.settle()
    assert set(company.bystander.at_google()) == {"legacy"}
