"""What is ours is deleted, and only while nothing else needs it."""

from dataclasses import replace

import pytest
from certificate_manager_errors import Refusal
from certificate_manager_rig import SOMEBODY, Rig
from wire import Request, Response, Way

from providers.base import OWNER
from providers.errors import Conflict, InUse

PROXY = "//compute.googleapis.com/projects/example-project/global/targetHttpsProxies/front"


def test_a_removal_is_looked_up_done_and_confirmed(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    rig.emulator.wire.asked.clear()
    target.remove(installed)
    assert rig.asked() == ["GetCertificate", "DeleteCertificate", "GetCertificate"]
    assert rig.emulator.resources == {}


def test_what_is_in_use_stays_and_its_users_are_named(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    rig.emulator.service.rules.references[installed.id] = [PROXY]
    with pytest.raises(InUse, match="targetHttpsProxies/front"):
        target.remove(installed)
    assert [found.id for found in target.observe()] == [installed.id]
    assert rig.asked("DeleteCertificate") == []


def test_what_comes_into_use_at_the_last_moment_stays(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    refusal = Refusal("FAILED_PRECONDITION", f"{installed.id} is used by {PROXY}").response
    rig.emulator.wire.fail("DeleteCertificate", Way.REFUSED, refusal)
    with pytest.raises(InUse, match="targetHttpsProxies/front"):
        target.remove(installed)
    assert rig.emulator.resources


def test_what_somebody_else_deletes_at_the_last_moment_is_gone(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    serve = rig.emulator.wire.service

    def delete_first(request: Request) -> Response:
        if request.method == "DELETE":
            rig.emulator.resources.clear()
        return serve(request)

    rig.emulator.wire.service = delete_first
    target.remove(installed)
    assert rig.asked("DeleteCertificate") == ["DeleteCertificate"]


def test_what_became_somebody_elses_or_another_certificate_stays(rig: Rig) -> None:
    target = rig.target()
    installed = target.install(rig.request("web"))
    with pytest.raises(Conflict):
        target.remove(replace(installed, sha256="0" * 64))
    rig.resource("web").labels[OWNER] = SOMEBODY
    with pytest.raises(Conflict):
        target.remove(installed)
    assert rig.asked("DeleteCertificate") == []
