"""What it costs to observe thousands of certificates, counted on the wire; and nobody waits for the slow."""

import threading
from collections.abc import Callable
from math import ceil

import pytest
from cloud_rig import Clouds, answering
from cloud_stock import DIFFERENT, FREE, OURS, PLACES, SHARE, Made, asked, fill, look, make, most
from wire import Request, Response


@pytest.fixture(scope="module")
def made() -> list[Made]:
    return make(DIFFERENT)


@pytest.mark.parametrize("certificates", [0, 1, 25, 26, 500, 501, 1001])
@pytest.mark.parametrize("cloud", PLACES)
def test_so_many_certificates_cost_so_many_requests(
    clouds: Clouds, made: list[Made], cloud: str, certificates: int
) -> None:
    fill(clouds, {cloud: certificates}, made)
    (found,) = look(clouds, cloud).targets.values()
    assert found.status == "observed", found.detail
    assert len(found.installed) == certificates
    for each in found.installed.values():
        assert each.owned_by(OURS)
        assert None not in (each.serial, each.sha256, each.trust, each.not_after)
        assert each.drift == ()
    assert asked(clouds, cloud) <= most(cloud, certificates)


def test_five_thousand_in_three_clouds_are_seen_side_by_side_and_none_waits_for_the_slow_one(
    clouds: Clouds, made: list[Made], tell: Callable[[str], None]
) -> None:
    fill(clouds, SHARE, made)
    others, lock = {"aws": 0, "gcp": 0}, threading.Lock()
    done = threading.Event()
    expected = {"aws": ceil(SHARE["aws"] / 500) + ceil(SHARE["aws"] / 100), "gcp": 2}

    def counted(cloud: str) -> Callable[[Request], Response | None]:
        def pass_on(request: Request) -> None:
            if clouds.wires[cloud].operation(request) in FREE:
                return
            with lock:
                others[cloud] += 1
                if all(others[name] >= expected[name] for name in others):
                    done.set()

        return pass_on

    def slow(_: Request) -> Response | None:
        assert done.wait(60), f"the others wait for it: {others}"
        return None

    with (
        answering(clouds.wires["aws"], counted("aws")),
        answering(clouds.wires["gcp"], counted("gcp")),
        answering(clouds.wires["azure"], slow),
    ):
        found = look(clouds, *PLACES)
    assert {n: len(each.installed) for n, each in found.targets.items()} == {
        PLACES[cloud]: certificates for cloud, certificates in SHARE.items()
    }
    counts = {cloud: (asked(clouds, cloud), most(cloud, SHARE[cloud])) for cloud in PLACES}
    told = ", ".join(f"{cloud} {n} of at most {limit}" for cloud, (n, limit) in counts.items())
    tell(f"requests to observe {sum(SHARE.values()):,} certificates: {told}")
    assert all(n <= limit for n, limit in counts.values()), told
