"""What a vault shows of itself: pages of 25, and a look at those only that were changed."""

import json
from collections.abc import Callable

import pytest
from azure.keyvault.certificates import CertificateClient, CertificatePolicy
from keyvault_emulator import CHALLENGE, KeyVault
from wire import Response, Way

from providers import x509
from providers.abilities import AdoptRequest
from providers.azure.vault import KeyVaultTarget
from providers.base import OWNER, Bundle, Installed
from providers.conformance import OURS, labels, request
from providers.errors import Conflict, Unreachable
from providers.seal import CONTENT

Made = Callable[[], Bundle]
SELF = CertificatePolicy.get_default()


def only(target: KeyVaultTarget, name: str) -> Installed:
    (found,) = [each for each in target.observe() if each.name == name]
    return found


def foreign(client: CertificateClient, name: str) -> None:
    client.begin_create_certificate(name, SELF).result()


@pytest.mark.parametrize("empty_last_page", [False, True])
def test_calls_grow_with_pages_and_not_with_certificates(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, empty_last_page: bool
) -> None:
    made = bundle()
    for number in range(203):
        target.install(request(f"web-{number}", made))
    vault.store.empty_last_page = empty_last_page
    vault.wire.asked.clear()
    assert len(target.observe()) == 203
    assert vault.wire.counts == {
        "ListCertificates": 9 + empty_last_page,
        "ListDeletedCertificates": 1,
    }


def test_the_first_call_of_a_process_costs_one_challenge_more(
    vault: KeyVault, target: KeyVaultTarget
) -> None:
    assert list(target.observe()) == []
    assert vault.wire.asked == [CHALLENGE, "ListDeletedCertificates", "ListCertificates"]


def test_what_is_foreign_is_not_looked_at_until_it_is_inspected(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    foreign(client, "theirs")
    vault.wire.asked.clear()
    found = only(target, "theirs")
    assert (found.serial, found.sha256, found.drift) == (None, None, ())
    assert found.not_after is not None
    assert vault.wire.counts["GetCertificate"] == 0
    inspected = target.inspect(found)
    facts = x509.facts(vault.entry("theirs").versions[-1].der)
    assert (inspected.serial, inspected.sha256) == (facts.serial, facts.sha256)
    assert inspected.content is not None
    assert inspected.content.common_name == "DefaultPolicy"


def test_another_certificate_under_our_labels_is_read_and_told(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    target.install(request("web", bundle()))
    target.install(request("other", bundle()))
    other = vault.entry("other").versions[-1]
    vault.entry("web").versions.append(other)
    other.tags = dict(vault.entry("web").versions[0].tags)
    vault.wire.asked.clear()
    found = only(target, "web")
    assert found.sha256 == x509.facts(other.der).sha256
    assert found.drift == ("another certificate is there than was installed",)
    assert vault.wire.counts["GetCertificate"] == 2


def test_a_renewal_by_the_vault_itself_is_drift(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    policy = vault.entry("web").policy
    policy["issuer"] = {"name": "Self"}
    policy["lifetime_actions"] = [
        {"trigger": {"days_before_expiry": 10}, "action": {"action_type": "AutoRenew"}}
    ]
    vault.renew("web")
    found = only(target, "web")
    assert found.serial not in (None, installed.serial)
    assert found.owned_by(OURS)
    assert "AutoRenew" in found.drift[0]


def test_a_certificate_that_cannot_be_read_is_drift_and_leaves_the_rest_known(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    target.install(request("other", bundle()))
    target.install(request("web", bundle()))
    answer = unreadable(vault)
    for _ in range(2):
        vault.wire.fail("GetCertificate", Way.MISANSWERED, answer)
    client.update_certificate_properties("web", tags={**labels("web"), CONTENT: "1/other"})
    found = only(target, "web")
    assert (found.serial, found.owned_by(OURS)) == (None, True)
    assert found.drift == ("another certificate is there than was installed",)
    with pytest.raises(Conflict, match="cannot be read"):
        target.remove(found)
    assert vault.wire.counts["DeleteCertificate"] == 0


def unreadable(vault: KeyVault) -> Response:
    """An answer with bytes in the certificate's place that are none."""
    told = {
        "id": f"{vault.url}/certificates/web/{'0' * 32}",
        "x5t": "AAAA",
        "cer": "AAAA",
        "attributes": {"enabled": True},
        "tags": {**labels("web"), CONTENT: "1/other"},
    }
    return Response(200, json.dumps(told).encode(), {"Content-Type": "application/json"})


def test_names_are_told_in_lower_case_since_a_vault_does_not_tell_them_apart(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient
) -> None:
    foreign(client, "Theirs")
    (found,) = target.observe()
    assert (found.name, found.id) == ("theirs", f"{vault.url}/certificates/Theirs")
    adopted = target.adopt(AdoptRequest(found.id, "theirs", labels("theirs")))
    assert list(target.observe()) == [adopted]
    target.remove(adopted)
    assert list(target.observe()) == []


def test_what_is_disabled_is_drift(
    target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    client.update_certificate_properties("web", enabled=False)
    found = only(target, "web")
    assert found.drift == ("it is disabled",)
    assert found.serial == installed.serial


def test_somebody_elses_creation_is_seen_as_unfinished(
    target: KeyVaultTarget, client: CertificateClient
) -> None:
    policy = CertificatePolicy(issuer_name="Unknown", subject="CN=theirs")
    client.begin_create_certificate("theirs", policy)
    found = only(target, "theirs")
    assert not found.owned_by(OURS)
    assert "not finished" in found.drift[0]
    assert found.not_after is None


def test_the_names_of_others_deleted_certificates_are_told_and_ours_are_not(
    target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    target.remove(target.install(request("web", bundle())))
    foreign(client, "theirs")
    client.begin_delete_certificate("theirs").wait()
    (found,) = target.observe()
    assert found.name == "theirs"
    assert not found.owned_by(OURS)
    assert "can be recovered until" in found.drift[0]
    assert target.find(found.id) is None


def test_deleted_certificates_need_not_be_listable(vault: KeyVault, target: KeyVaultTarget) -> None:
    vault.store.denied.add("ListDeletedCertificates")
    assert list(target.observe()) == []


@pytest.mark.parametrize("rbac", [True, False])
def test_a_missing_permission_is_named(vault: KeyVault, target: KeyVaultTarget, rbac: bool) -> None:
    vault.store.rbac = rbac
    vault.store.denied.add("list")
    with pytest.raises(Unreachable) as refusal:
        target.observe()
    assert "`certificates/list` is missing" in str(refusal.value)
    assert "Microsoft.KeyVault/vaults/certificates/read" in str(refusal.value)
    assert "localhost" in str(refusal.value)


def test_a_permission_that_is_lost_midway_leaves_the_vault_unknown(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    made = bundle()
    for number in range(26):
        target.install(request(f"web-{number}", made))
    refused = Response(403, b'{"error": {"code": "Forbidden", "message": "no"}}')
    vault.wire.fail("ListCertificates", Way.SLOW)
    vault.wire.fail("ListCertificates", Way.REFUSED, refused)
    with pytest.raises(Unreachable, match="certificates/list"):
        target.observe()


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>proxy</html>", b'{"value": null}'])
def test_a_page_that_cannot_be_read_is_no_empty_page(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, body: bytes
) -> None:
    target.install(request("web", bundle()))
    answer = Response(200, body, {"Content-Type": "application/json"})
    vault.wire.fail("ListCertificates", Way.MISANSWERED, answer)
    assert [each.name for each in target.observe()] == ["web"]


@pytest.mark.parametrize("way", [Way.DROPPED, Way.REFUSED, Way.UNANSWERED])
def test_a_failing_page_is_asked_for_again_and_none_is_lost(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, way: Way
) -> None:
    made = bundle()
    for number in range(51):
        target.install(request(f"web-{number}", made))
    vault.wire.fail("ListCertificates", Way.SLOW)
    vault.wire.fail("ListCertificates", way, times=2)
    assert len({each.name for each in target.observe()}) == 51


@pytest.mark.parametrize("body", [b"{}", b"<html>proxy</html>", b'"signed in"'])
def test_a_look_that_somebody_else_answered_is_taken_again(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, body: bytes
) -> None:
    installed = target.install(request("web", bundle()))
    answer = Response(200, body, {"Content-Type": "application/json"})
    vault.wire.fail("GetCertificate", Way.MISANSWERED, answer)
    assert target.find(installed.id) == installed


def test_a_listing_that_leads_elsewhere_is_read_from_the_vault_itself(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    target.install(request("web", bundle()))
    link = b'{"value": [], "nextLink": "https://kv.vault.azure.net:443/certificates?$skiptoken=0"}'
    vault.wire.fail("ListCertificates", Way.MISANSWERED, Response(200, link))
    assert [each.name for each in target.observe()] == ["web"]


@pytest.mark.parametrize("pages", [1, 2])
def test_a_listing_that_goes_round_in_a_circle_is_not_followed_for_ever(
    vault: KeyVault, target: KeyVaultTarget, pages: int
) -> None:
    link = '{"value": [], "nextLink": "https://kv.vault.azure.net/certificates?$skiptoken=%d"}'
    for number in range(10):
        answer = Response(200, (link % (number % pages)).encode())
        vault.wire.fail("ListCertificates", Way.MISANSWERED, answer)
    with pytest.raises(Unreachable, match="does not go on"):
        target.observe()


def test_another_owners_certificate_is_reported_as_theirs(
    target: KeyVaultTarget, client: CertificateClient
) -> None:
    tags = {**labels("web"), OWNER: "another"}
    client.begin_create_certificate("web", SELF, tags=tags).result()
    assert only(target, "web").labels[OWNER] == "another"
