"""Files below a webroot, asked for from a web server."""

import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from providers.errors import Conflict, NotFound, ProviderError, Rejected
from providers.registry import make_http_solver
from providers.solving import HttpSolver, WebFile
from schemas.solvers import Http01

FILE = WebFile("www.example.com", "token-of_a-test", "token-of_a-test.thumbprint")
PLACE = Path(".well-known") / "acme-challenge"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "html").mkdir()
    return tmp_path / "html"


@pytest.fixture
def solver(root: Path) -> HttpSolver:
    return make_http_solver(Http01.model_validate({"webroot": {"path": str(root)}}))


@pytest.fixture
def url(root: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=root)) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/{PLACE}"
        server.shutdown()
        thread.join()


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=5) as answer:
        text: str = answer.read().decode()
    return text


def test_a_file_is_answered_until_it_is_cleaned_up(solver: HttpSolver, url: str) -> None:
    for _ in range(2):
        solver.present(FILE)
    assert get(f"{url}/{FILE.token}") == FILE.content
    for _ in range(2):
        solver.clean_up(FILE)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(f"{url}/{FILE.token}")


def test_everybody_may_read_it_whatever_the_umask(solver: HttpSolver, root: Path) -> None:
    before = os.umask(0o077)
    try:
        solver.present(FILE)
    finally:
        os.umask(before)
    modes = [(root / part).stat().st_mode & 0o777 for part in (PLACE.parent, PLACE)]
    assert modes == [0o755, 0o755]
    assert (root / PLACE / FILE.token).stat().st_mode & 0o777 == 0o644
    assert [each.name for each in (root / PLACE).iterdir()] == [FILE.token]


@pytest.mark.parametrize("token", ["../../index.html", "a/b", "", ".", "a.b", "a\n", "a\0", "ä"])
def test_a_token_that_is_not_base64url_is_refused(
    solver: HttpSolver, root: Path, token: str
) -> None:
    hostile = WebFile("www.example.com", token, "hostile")
    for verb in (solver.present, solver.clean_up):
        with pytest.raises(Rejected, match="not base64url"):
            verb(hostile)
    assert not any(root.iterdir())


def test_a_root_that_is_not_there_is_told(solver: HttpSolver, root: Path) -> None:
    root.rmdir()
    with pytest.raises(NotFound, match="this host does not serve it"):
        solver.present(FILE)
    solver.clean_up(FILE)


@pytest.mark.parametrize("linked", [PLACE.parent, PLACE])
def test_no_link_is_followed_out_of_the_root(
    solver: HttpSolver, root: Path, tmp_path: Path, linked: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (root / linked).parent.mkdir(exist_ok=True)
    (root / linked).symlink_to(elsewhere)
    with pytest.raises(Conflict, match="is a link or a file"):
        solver.present(FILE)
    assert not any(elsewhere.iterdir())


def test_a_file_that_is_a_link_is_replaced_and_its_target_left(
    solver: HttpSolver, root: Path, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (root / PLACE).mkdir(parents=True)
    (root / PLACE / FILE.token).symlink_to(precious)
    solver.present(FILE)
    assert precious.read_text() == "precious"
    assert (root / PLACE / FILE.token).read_text() == FILE.content


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_not_ours_is_not_cleaned_up(
    solver: HttpSolver, root: Path, tmp_path: Path, kind: str
) -> None:
    place = root / PLACE / FILE.token
    place.parent.mkdir(parents=True)
    if kind == "file":
        place.write_text("somebody else's")
    elif kind == "directory":
        place.mkdir()
    else:
        place.symlink_to(tmp_path)
    try:
        solver.clean_up(FILE)
    except ProviderError:
        assert kind != "file"
    assert os.path.lexists(place)
