"""No line of a key leaves by a log, an exception or a repr, whatever ACM says to an import."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest
from aws_emulator import AwsEmulator
from wire import Response, Way

from providers.aws.acm import AcmTarget
from providers.base import Bundle
from providers.conformance import request, shows
from providers.errors import ProviderError

Make = Callable[[], Bundle]


def test_an_import_leaves_no_key_in_debug_logs(
    target: AcmTarget, bundle: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = request("web", bundle())
    before = target.install(wanted)
    later = request("web", bundle(), before)
    target.install(later)
    assert "AddTagsToCertificate" in caplog.text
    assert not shows(wanted.bundle, caplog.text)
    assert not shows(later.bundle, caplog.text)
    assert "PRIVATE KEY" not in caplog.text


@pytest.mark.parametrize("way", list(Way))
def test_a_failing_import_shows_no_key(
    target: AcmTarget, aws: AwsEmulator, bundle: Make, caplog: pytest.LogCaptureFixture, way: Way
) -> None:
    caplog.set_level(logging.DEBUG)
    wanted = request("web", bundle())
    key = wanted.bundle.held_key.reveal().decode()
    quoting = f'{{"__type": "ValidationException", "message": "Value {key!r} is not valid"}}'
    aws.wire.fail("ImportCertificate", way, Response(400, quoting.encode()), times=3)
    try:
        target.install(wanted)
    except ProviderError as error:
        told = "".join(traceback.format_exception(error))
        assert not shows(wanted.bundle, told)
        assert "PRIVATE KEY" not in told
    assert not shows(wanted.bundle, caplog.text)


def test_what_the_sdk_refuses_by_itself_shows_no_key(target: AcmTarget, bundle: Make) -> None:
    wanted = replace(request("web", bundle()), labels={"": "empty keys are refused by the SDK"})
    with pytest.raises(ProviderError) as refusal:
        target.install(wanted)
    assert not shows(wanted.bundle, "".join(traceback.format_exception(refusal.value)))
    assert "malformed" in str(refusal.value)
