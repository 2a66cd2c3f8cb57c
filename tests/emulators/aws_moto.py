"""moto's own server application, in this process, as a service for a wire."""

import io
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlsplit

from moto.iam.models import get_account_id_from
from moto.moto_api._internal.models import moto_api_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from wire import Request, Response


class Moto:
    """Every service that moto knows. Its state is the process's: the newest of these starts it afresh."""

    def __init__(self) -> None:
        moto_api_backend.reset()
        self._application = DomainDispatcherApplication(create_backend_app)

    def __call__(self, request: Request) -> Response:
        told: list[tuple[int, dict[str, str]]] = []

        def start(status: str, headers: Iterable[tuple[str, str]], _: object = None) -> None:
            told.append((int(status.split(maxsplit=1)[0]), dict(headers)))

        parts = self._application(_environ(request), start)
        try:
            body = b"".join(parts)
        finally:
            parts.close()
        status, headers = told[0]
        return Response(status, body, headers)


def account_of(access_key: str) -> str:
    """Return the account that a key belongs to: a role's where AssumeRole gave it out, else moto's own."""
    account: str = get_account_id_from(access_key)
    return account


def _environ(request: Request) -> dict[str, object]:
    url = urlsplit(request.target)
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(url.path, "latin-1"),
        "QUERY_STRING": url.query,
        "RAW_URI": request.target,
        "REQUEST_URI": request.target,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": request.headers.get("host", ":80").rpartition(":")[2],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **_header_variables(request.headers),
    }


def _header_variables(headers: Mapping[str, str]) -> dict[str, object]:
    return {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
