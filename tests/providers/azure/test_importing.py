"""Installing into a vault: each install is one version, whatever happens on the way."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from azure.keyvault.certificates import (
    CertificateClient,
    CertificatePolicy,
    CertificatePolicyAction,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from keyvault_emulator import KeyVault
from keyvault_errors import in_deleted_state
from wire import Response, Way

from providers import x509
from providers.azure.vault import KeyVaultTarget
from providers.base import OWNER, Bundle
from providers.conformance import OURS, labels, request
from providers.errors import Ambiguous, Conflict, Denied, QuotaExceeded, Rejected
from providers.seal import CONTENT
from providers.specimens import P256, Specimens
from schemas.certificate import Algorithm
from schemas.request import KeyType

Made = Callable[[], Bundle]
RSA = KeyType(algorithm=Algorithm.RSA, size=2048)
SELF = CertificatePolicy.get_default()


def imports(vault: KeyVault) -> int:
    return vault.wire.counts["ImportCertificate"]


def test_key_leaf_and_chain_are_there_in_their_order(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    made = bundle()
    target.install(request("web", made))
    (version,) = vault.entry("web").versions
    assert version.der == x509.to_der(made.certificate)
    assert version.chain == tuple(map(x509.to_der, made.chain))
    key = load_pem_private_key(made.held_key.reveal(), None)
    assert key.public_key() == version.key.public_key()
    assert version.preserve_order


def test_the_vault_does_not_renew_what_was_imported(
    target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    target.install(request("web", bundle()))
    policy = client.get_certificate_policy("web")
    actions = [each.action for each in policy.lifetime_actions or ()]
    assert CertificatePolicyAction.auto_renew not in actions
    assert policy.issuer_name == "Unknown"


@pytest.mark.parametrize("kind", [P256, RSA])
def test_what_kind_of_key_is_imported_is_said(
    target: KeyVaultTarget, client: CertificateClient, kind: KeyType
) -> None:
    now = datetime.now(UTC)
    target.install(request("web", Specimens.make(now).bundle("www.example.com", now, kind)))
    policy = client.get_certificate_policy("web")
    told = (policy.key_type, policy.key_curve_name, policy.key_size)
    assert told == (("EC", "P-256", None) if kind == P256 else ("RSA", None, 2048))
    assert (policy.exportable, policy.reuse_key) == (True, False)


def test_a_new_version_comes_under_the_same_name_and_the_old_one_stays(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    before = target.install(request("web", bundle()))
    after = target.install(request("web", bundle(), before))
    assert before.id == after.id == f"{vault.url}/certificates/web"
    assert [version.enabled for version in vault.entry("web").versions] == [True, True]


def test_tags_of_others_go_along_to_the_new_version(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    first = target.install(request("web", bundle()))
    tags = {**vault.entry("web").tags, "cost-centre": "42"}
    client.update_certificate_properties("web", tags=tags)
    after = target.install(request("web", bundle(), first))
    assert after.labels == {**labels("web"), "cost-centre": "42"}
    assert list(target.observe()) == [after]


def test_more_tags_than_a_vault_takes_are_refused_before_anything_is_sent(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    wanted = request("web", bundle())
    many = {**wanted.labels, **{f"tag-{number}": "x" for number in range(12)}}
    with pytest.raises(QuotaExceeded, match="16 tags"):
        target.install(replace(wanted, labels=many))
    assert imports(vault) == 0


@pytest.mark.parametrize(
    ("way", "answer"),
    [(Way.UNANSWERED, Response(500)), (Way.MISANSWERED, Response(503, b"<html>busy</html>"))],
)
def test_an_import_whose_answer_was_lost_is_found_and_not_repeated(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, way: Way, answer: Response
) -> None:
    vault.wire.fail("ImportCertificate", way, answer)
    installed = target.install(request("web", bundle()))
    assert len(vault.entry("web").versions) == imports(vault) == 1
    assert list(target.observe()) == [installed]


def test_an_import_that_may_have_happened_and_did_not_is_not_repeated_blindly(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    wanted = request("web", bundle())
    vault.wire.fail("ImportCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous, match="apply again"):
        target.install(wanted)
    assert imports(vault) == 1
    assert target.install(wanted) in target.observe()


@pytest.mark.parametrize("body", [b"<html>proxy</html>", b"{}", b"[]", b"null"])
def test_an_import_that_somebody_else_answered_is_found_and_not_repeated(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, body: bytes
) -> None:
    answer = Response(200, body, {"Content-Type": "application/json"})
    vault.wire.fail("ImportCertificate", Way.MISANSWERED, answer)
    installed = target.install(request("web", bundle()))
    assert len(vault.entry("web").versions) == imports(vault) == 1
    assert list(target.observe()) == [installed]


def test_a_chain_that_changed_below_the_same_certificate_is_imported(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    made = bundle()
    before = target.install(request("web", made))
    longer = replace(made, chain=(*made.chain, *made.anchors))
    after = target.install(request("web", longer, before))
    assert vault.entry("web").versions[-1].chain == tuple(map(x509.to_der, longer.chain))
    assert after.trust != before.trust
    assert target.install(request("web", longer, after)) == after
    assert imports(vault) == 2


def test_a_chain_whose_import_was_lost_is_not_taken_for_the_one_that_is_there(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    made = bundle()
    before = target.install(request("web", made))
    longer = replace(made, chain=(*made.chain, *made.anchors))
    vault.wire.fail("ImportCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous):
        target.install(request("web", longer, before))
    assert list(target.observe()) == [before]


def test_a_certificate_whose_seal_is_lost_is_imported_again(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    made = bundle()
    target.install(request("web", made))
    client.update_certificate_properties("web", tags=labels("web"))
    (unsealed,) = target.observe()
    assert unsealed.trust is None
    after = target.install(request("web", made, unsealed))
    assert list(target.observe()) == [after]
    assert after.trust is not None
    assert len(vault.entry("web").versions) == 2


def test_a_key_follows_no_redirect(vault: KeyVault, target: KeyVaultTarget, bundle: Made) -> None:
    elsewhere = Response(307, headers={"Location": f"{vault.identity.url}/elsewhere"})
    vault.wire.fail("ImportCertificate", Way.REFUSED, elsewhere)
    with pytest.raises(Rejected, match="HTTP 307"):
        target.install(request("web", bundle()))
    assert set(vault.identity.asked) == {"GetToken"}
    assert vault.identity.counts["GetToken"] == 1


def test_an_import_that_is_asked_too_often_waits_as_long_as_it_is_told(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, slept: list[float]
) -> None:
    body = b'{"error": {"code": "Throttled", "message": "too many requests"}}'
    throttled = Response(429, body, {"Retry-After": "7"})
    vault.wire.fail("ImportCertificate", Way.REFUSED, throttled, times=4)
    target.install(request("web", bundle()))
    assert slept == [7.0] * 4  # from the fifth on, our own pause may be the longer one
    assert len(vault.entry("web").versions) == 1


def test_a_missing_permission_to_import_is_named(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    vault.store.denied.add("import")
    with pytest.raises(Denied, match="vaults/certificates/import/action"):
        target.install(request("web", bundle()))


def test_what_the_vault_does_not_take_is_refused_in_its_words(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    body = b'{"error": {"code": "BadParameter", "message": "Property x is bad"}}'
    vault.wire.fail("ImportCertificate", Way.REFUSED, Response(400, body))
    with pytest.raises(Rejected, match="BadParameter: Property x is bad"):
        target.install(request("web", bundle()))


@pytest.mark.parametrize("slow_polls", [0, 3])
def test_what_we_deleted_is_recovered_and_gets_a_new_version(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, slow_polls: int
) -> None:
    target.remove(target.install(request("web", bundle())))
    vault.store.slow_polls = slow_polls
    after = target.install(request("web", bundle()))
    assert len(vault.entry("web").versions) == 2
    assert list(target.observe()) == [after]


def test_a_deletion_that_is_not_finished_is_waited_for(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    target.install(request("web", bundle()))
    vault.store.slow_polls = 3
    client.begin_delete_certificate("web")
    vault.store.slow_polls = 0
    assert target.install(request("web", bundle())) in target.observe()


def test_what_was_deleted_and_is_wanted_again_as_it_was_is_only_recovered(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    wanted = request("web", bundle())
    installed = target.install(wanted)
    target.remove(installed)
    assert target.install(wanted) == installed
    assert len(vault.entry("web").versions) == 1


def test_the_name_of_somebody_elses_deleted_certificate_is_not_taken(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    client.begin_create_certificate("web", SELF).result()
    client.begin_delete_certificate("web").wait()
    with pytest.raises(Conflict, match="purge that, or choose another objectName"):
        target.install(request("web", bundle()))
    assert vault.wire.counts["RecoverCertificate"] == 0


def test_a_name_that_a_deleted_secret_has_is_told(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    refused = in_deleted_state("web").response
    vault.wire.fail("ImportCertificate", Way.REFUSED, refused, times=None)
    with pytest.raises(Conflict, match="a deleted key or secret"):
        target.install(request("web", bundle()))
    assert imports(vault) == 1


def test_recovery_without_permission_names_it(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    target.remove(target.install(request("web", bundle())))
    vault.store.denied.add("recover")
    with pytest.raises(Denied, match="certificates/recover"):
        target.install(request("web", bundle()))


def test_somebody_elses_creation_is_left_alone(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    policy = CertificatePolicy(issuer_name="Unknown", subject="CN=theirs")
    client.begin_create_certificate("web", policy)
    with pytest.raises(Conflict, match="somebody else's creation is under way"):
        target.install(request("web", bundle(), installed))
    assert vault.entry("web").busy


def test_what_is_disabled_and_otherwise_as_wanted_is_enabled(
    target: KeyVaultTarget, client: CertificateClient, vault: KeyVault, bundle: Made
) -> None:
    wanted = request("web", bundle())
    installed = target.install(wanted)
    client.update_certificate_properties("web", enabled=False)
    (seen,) = target.observe()
    assert target.install(replace(wanted, predecessor=seen)) == installed
    assert len(vault.entry("web").versions) == 1


def test_what_could_not_be_enabled_is_not_taken_for_enabled(
    vault: KeyVault, target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    wanted = request("web", bundle())
    target.install(wanted)
    client.update_certificate_properties("web", enabled=False)
    (seen,) = target.observe()
    vault.wire.fail("UpdateCertificate", Way.DROPPED)
    with pytest.raises(Ambiguous, match="apply again"):
        target.install(replace(wanted, predecessor=seen))


def test_a_recovery_whose_answer_was_lost_is_found(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    target.remove(target.install(request("web", bundle())))
    vault.wire.fail("RecoverCertificate", Way.UNANSWERED)
    assert target.install(request("web", bundle())) in target.observe()
    assert vault.wire.counts["RecoverCertificate"] == 1


def test_a_name_in_another_case_is_the_same_name(
    target: KeyVaultTarget, client: CertificateClient, bundle: Made
) -> None:
    client.begin_create_certificate("Web", SELF).result()
    with pytest.raises(Conflict, match="not ours"):
        target.install(request("web", bundle()))


def test_the_seal_fits_a_tag_and_is_no_label(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made
) -> None:
    installed = target.install(request("web", bundle()))
    assert len(vault.entry("web").tags[CONTENT]) <= 512
    assert CONTENT not in installed.labels
    assert installed.labels[OWNER] == OURS
