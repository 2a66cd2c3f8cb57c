"""No key is written anywhere but into the one request that brings it to the vault."""

import json
import logging
from base64 import b64encode
from collections.abc import Callable

import pytest
from keyvault_emulator import KeyVault
from wire import Response, Way

from providers.azure.vault import KeyVaultTarget
from providers.base import Bundle
from providers.conformance import request, shows
from providers.errors import ProviderError

Made = Callable[[], Bundle]


def echo(bundle: Bundle) -> Response:
    """An answer that quotes what was sent, as a careless service might."""
    sent = bundle.held_key.reveal().decode()
    message = f"cannot use {sent} nor {b64encode(sent.encode()).decode()}"
    return Response(400, json.dumps({"error": {"code": "Bad", "message": message}}).encode())


def test_no_log_holds_a_key(
    target: KeyVaultTarget, bundle: Made, caplog: pytest.LogCaptureFixture
) -> None:
    made = bundle()
    with caplog.at_level(logging.DEBUG):
        installed = target.install(request("web", made))
        target.install(request("web", bundle(), installed))
    assert not shows(made, caplog.text)
    # no detail at all is logged of the request that holds it, whatever an SDK may log one day
    details = [each.getMessage() for each in caplog.records if each.levelno == logging.DEBUG]
    assert any("/certificates/web/?" in each for each in details)
    assert not any("/certificates/web/import" in each for each in details)


@pytest.mark.parametrize("way", [Way.REFUSED, Way.DROPPED])
def test_no_error_holds_a_key_nor_leads_to_one(
    vault: KeyVault, target: KeyVaultTarget, bundle: Made, way: Way
) -> None:
    made = bundle()
    vault.wire.fail("ImportCertificate", way, echo(made))
    with pytest.raises(ProviderError) as refusal:
        target.install(request("web", made))
    seen: BaseException | None = refusal.value
    while seen is not None:
        assert not shows(made, f"{seen!s}{seen!r}{seen.args}")
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)


def test_debug_logs_are_written_again_afterwards(target: KeyVaultTarget, bundle: Made) -> None:
    target.install(request("web", bundle()))
    assert logging.getLogger("azure").isEnabledFor(logging.CRITICAL)
    assert logging.root.manager.disable == 0


def test_the_echo_is_one_that_would_betray(bundle: Made) -> None:
    made = bundle()
    assert shows(made, echo(made).body.decode())
