"""Who certform is in AWS: the SDK's own credentials, or a role assumed from there."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from aws_emulator import ACCOUNT, AwsEmulator

from providers.aws.acm import AcmTarget
from providers.base import Bundle, Installed, TargetConfig
from providers.conformance import request
from providers.errors import ProviderError, Unreachable
from providers.registry import make_target
from schemas.clouds import AwsAcm
from schemas.target import TargetSpec

Make = Callable[[], Bundle]
ROLE = "arn:aws:iam::111122223333:role/certform"


def place(
    config: TargetConfig, region: str = "eu-west-1", external_id: str | None = None
) -> AcmTarget:
    settings = AwsAcm(regions=(region,), role=ROLE, external_id=external_id)
    return AcmTarget(replace(config, spec=TargetSpec(aws_acm=settings)), sleep=lambda _: None)


def test_the_registry_makes_it(aws: AwsEmulator, config: TargetConfig) -> None:
    assert list(make_target(config).observe()) == []


def test_without_a_role_it_is_the_credentials_own_account(target: AcmTarget, bundle: Make) -> None:
    assert f":{ACCOUNT}:" in target.install(request("web", bundle())).id


def test_a_role_is_assumed_once_for_all_its_regions(
    aws: AwsEmulator, config: TargetConfig, bundle: Make
) -> None:
    for region in ("eu-west-1", "us-east-1"):
        installed = place(config, region).install(request("web", bundle()))
        assert installed.id.startswith(f"arn:aws:acm:{region}:111122223333:")
    assert aws.wire.counts["AssumeRole"] == 1


def test_targets_may_be_observed_side_by_side(aws: AwsEmulator, config: TargetConfig) -> None:
    found: list[list[Installed]] = []
    regions = [f"eu-west-{n}" for n in range(1, 9)]
    threads = [
        threading.Thread(target=lambda at=at: found.append(list(place(config, at).observe())))
        for at in regions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[]] * len(regions)
    assert aws.wire.counts["AssumeRole"] == 1


def test_an_external_id_is_given_where_a_role_wants_one(
    aws: AwsEmulator, config: TargetConfig
) -> None:
    aws.external_ids[ROLE] = "shared-with-the-account"
    with pytest.raises(Unreachable, match="sts:AssumeRole"):
        place(config).observe()
    assert list(place(config, external_id="shared-with-the-account").observe()) == []


def test_a_role_that_may_not_be_assumed_is_said(aws: AwsEmulator, config: TargetConfig) -> None:
    aws.denied.add("AssumeRole")
    with pytest.raises(Unreachable, match="sts:AssumeRole"):
        place(config).observe()


def test_an_expired_token_is_said(target: AcmTarget, aws: AwsEmulator) -> None:
    aws.expired = True
    with pytest.raises(Unreachable, match="have expired: log in again"):
        target.observe()


@pytest.mark.parametrize(
    ("operation", "permission"),
    [("ListCertificates", "acm:ListCertificates"), ("GetResources", "tag:GetResources")],
)
def test_a_permission_that_a_listing_lacks_is_named(
    target: AcmTarget, aws: AwsEmulator, operation: str, permission: str
) -> None:
    aws.denied |= {"SearchCertificates", operation}
    with pytest.raises(Unreachable, match=permission):
        target.observe()


def test_no_credentials_at_all_is_said(
    aws: AwsEmulator, config: TargetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(Unreachable, match="no usable AWS credentials"):
        AcmTarget(config, sleep=lambda _: None).observe()


def test_a_profile_that_is_not_there_is_said(
    aws: AwsEmulator, config: TargetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(Unreachable, match="ProfileNotFound"):
        AcmTarget(config, sleep=lambda _: None).observe()


def test_a_profile_that_cannot_work_is_said_at_once(
    aws: AwsEmulator, config: TargetConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    profiles = tmp_path / "config"
    profiles.write_text(f"[profile ci]\nrole_arn = {ROLE}\nsource_profile = nobody\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profiles))
    monkeypatch.setenv("AWS_PROFILE", "ci")
    pauses: list[float] = []
    with pytest.raises(Unreachable, match="InvalidConfigError"):
        AcmTarget(config, sleep=pauses.append).observe()
    assert pauses == []


def test_a_token_of_the_workflow_that_aws_refuses_is_said(
    aws: AwsEmulator, config: TargetConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    token = tmp_path / "token"
    token.write_text("a.b.c")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    aws.denied.add("AssumeRoleWithWebIdentity")
    with pytest.raises(Unreachable, match="sts:AssumeRoleWithWebIdentity"):
        AcmTarget(config, sleep=lambda _: None).observe()


def test_a_service_that_is_not_there_is_unreachable(
    aws: AwsEmulator, config: TargetConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    target = AcmTarget(config, sleep=lambda _: None, patience=0.0)
    with pytest.raises(Unreachable, match="cannot be reached"):
        target.observe()


def test_whatever_fails_is_a_provider_error(target: AcmTarget, aws: AwsEmulator) -> None:
    aws.unknown |= {"SearchCertificates", "ListCertificates", "GetResources"}
    with pytest.raises(ProviderError):
        target.observe()


def test_who_only_reads_assumes_no_role_that_may_write(
    aws: AwsEmulator, config: TargetConfig
) -> None:
    aws.external_ids[ROLE] = "only for who writes"
    settings = AwsAcm(regions=("eu-west-1",), role=ROLE, read_role=f"{ROLE}-reader")
    both = replace(config, spec=TargetSpec(aws_acm=settings))
    assert list(AcmTarget.from_config(replace(both, spec=both.spec.to_read())).observe()) == []
    with pytest.raises(Unreachable, match="sts:AssumeRole"):
        AcmTarget.from_config(both).observe()
