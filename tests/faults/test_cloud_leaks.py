"""SDKs that log all they can, and clouds that quote what they were sent: no key is seen in any form."""

import itertools
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import certificate_manager_errors
import keyvault_errors
import pytest
import rig
from aws_errors import Refusal
from canaries import forms, hits, left_behind
from cloud_rig import REFUSALS, Clouds, answering
from cloud_station import Station
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from disturbed_fleet import DisturbedFleet
from fleet_documents import LINEAGE
from rig import Repository
from wire import Request, Response, Way

from providers.base import NAME, OWNER, SPEC, InstallRequest
from providers.specimens import Specimens

LOUD = Path(__file__).parent.parent / "support/loud.py"
IMPORTS = {"aws": "ImportCertificate", "azure": "ImportCertificate", "gcp": "CreateCertificate"}
PLACES = {"aws": "aws/eu-west-1", "azure": "azure", "gcp": "gcp/europe-west1"}
Quoting = Callable[[str, Request], Response]


def quoted(cloud: str, request: Request) -> Response:
    """Refuse a request in a cloud's own form, and quote all of it."""
    body = request.body.decode()
    if cloud == "aws":
        return Refusal("ValidationException", f"1 validation error: Value '{body}'").as_json()
    if cloud == "azure":
        return keyvault_errors.error(400, "BadParameter", f"Property value is invalid: {body}")
    return certificate_manager_errors.invalid(f"Invalid value at 'certificate': {body}").response


def gateway(_: str, request: Request) -> Response:
    """Fail as a proxy does that shows what it was sent."""
    return Response(502, b"<html>Bad gateway<pre>" + request.body, {"Content-Type": "text/html"})


def garbled(_: str, request: Request) -> Response:
    """Answer with success, and with something that is no answer."""
    return Response(200, b'{"unfinished": "' + request.body, {"Content-Type": "application/json"})


@dataclass(frozen=True, slots=True)
class Error:
    """A way in which an import fails: on the wire, or by what the service says."""

    name: str
    way: Way | None = None
    response: Callable[[str], Response] = lambda _: Response(500)
    said: Quoting | None = None


ERRORS = (
    Error("refused with the request", said=quoted),
    Error("a gateway that shows it", said=gateway),
    Error("an answer that is none", said=garbled),
    Error("permission lost", Way.REFUSED, lambda cloud: REFUSALS[cloud].denied),
    Error("500 after", Way.MISANSWERED),
    Error("no answer", Way.UNANSWERED),
    Error("dropped", Way.DROPPED),
)

AT_ONCE = tuple(
    error for error in ERRORS if error.said is quoted or error.name in ("500 after", "no answer")
)
"""Those after which nothing is looked for in ACM for 15 seconds; the others are tried in this process."""


def failing(clouds: Clouds, error: Error, stack: ExitStack) -> None:
    """Let the imports of all clouds fail."""

    def instead(cloud: str, request: Request) -> Response | None:
        wanted = error.said is not None and clouds.wires[cloud].operation(request) == IMPORTS[cloud]
        return error.said(cloud, request) if wanted and error.said else None

    for cloud, wire in clouds.wires.items():
        if error.way is not None:
            wire.fail(IMPORTS[cloud], error.way, error.response(cloud))
        stack.enter_context(answering(wire, partial(instead, cloud)))


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station.working(tmp_path_factory.mktemp("station")) as station:
        yield station


def loudly(station: Station, repository: Repository, **variables: str) -> Mapping[str, bytes]:
    """Apply with everything logged; return what was written."""
    done = subprocess.run(
        [sys.executable, LOUD, "apply", "--auto-approve"],
        cwd=repository.root,
        env={**repository.environment, **station.clouds.environment(), **variables},
        capture_output=True,
        check=False,
        timeout=300,
    )
    return {"stdout": done.stdout, "stderr": done.stderr}


def keys(repository: Repository) -> dict[str, bytes]:
    """Return the keys that were sent, from the target on this host, which got the same."""
    found: dict[str, bytes] = {}
    for path in repository.root.glob("live/edge/*/current/privkey.pem"):
        found |= forms("web", load_pem_private_key(path.read_bytes(), None))
    assert found, "there was no key to look for"
    return found


def test_sdks_that_log_everything_log_no_key(
    station: Station, tell: Callable[[str], None], tmp_path: Path
) -> None:
    found, searched, told = [], 0, 0
    for number, error in enumerate((None, *(ERRORS if rig.FULL else AT_ONCE))):
        with station.begun("issue", tmp_path / str(number)) as repository, ExitStack() as stack:
            if error is not None:
                failing(station.clouds, error, stack)
            surfaces = {**loudly(station, repository), **left_behind(repository)}
            canaries = keys(repository)
            found += [f"{error and error.name}: {hit}" for hit in hits(canaries, surfaces)]
            searched, told = searched + len(surfaces), told + len(surfaces["stderr"])
    tell(
        f"leaks of SDKs: {len(found)} on {searched} surfaces, {told // 1024} KiB of debug logs among them"
    )
    assert found == []


def test_the_same_search_finds_what_every_sdk_would_log_without_our_silence(
    station: Station, tmp_path: Path
) -> None:
    with station.begun("issue", tmp_path / "unsilenced") as repository:
        surfaces = loudly(station, repository, LOUD_UNSILENCED="1")
        canaries = keys(repository)
        lines = surfaces["stderr"].splitlines()
        loud = {
            name
            for name, line in itertools.product((b"botocore", b"azure", b"google"), lines)
            if name in line and list(hits(canaries, {"": line}))
        }
        assert loud == {b"botocore", b"azure", b"google"}
        assert list(hits(canaries, {"stdout": surfaces["stdout"]})), "http.client printed nothing"


@pytest.mark.parametrize("cloud", PLACES)
def test_no_exception_of_an_import_holds_a_key(
    clouds: Clouds, cloud: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(1)
    place, found, raised = PLACES[cloud], [], 0
    for error in ERRORS:
        clouds.clear()
        fleet = DisturbedFleet(clouds=clouds, root=tmp_path, targets=(place,))
        bundle = Specimens.make(datetime.now(UTC)).bundle("www.example.com", datetime.now(UTC))
        labels = {OWNER: LINEAGE.owner, NAME: "web", SPEC: "0" * 32}
        canaries = forms("key", load_pem_private_key(bundle.held_key.reveal(), None))
        with ExitStack() as stack:
            failing(clouds, error, stack)
            try:
                fleet.reach()[place].install(InstallRequest("web", bundle, labels))
            except Exception as failure:  # noqa: BLE001 - of whatever kind it is
                raised += 1
                surfaces = {"logs": caplog.text.encode(), **shown(failure)}
                found += [f"{error.name}: {hit}" for hit in hits(canaries, surfaces)]
    assert found == []
    assert raised >= 3


def shown(failure: BaseException) -> dict[str, bytes]:
    """Return all that an exception would show to whoever prints it, or looks at what it came from."""
    chain: list[BaseException] = []
    each: BaseException | None = failure
    while each is not None:
        chain.append(each)
        each = each.__cause__ or each.__context__
    parts = [repr((type(e), e, e.args, vars(e), getattr(e, "__notes__", ()))) for e in chain]
    return {
        "traceback": "".join(traceback.format_exception(failure)).encode(),
        "exceptions": "\n".join(parts).encode(),
    }
