"""The token that GitHub Actions gives a job, to tell others who it is (OpenID Connect).

https://docs.github.com/actions/reference/security/oidc
"""

import json
import os
from urllib.parse import quote

from requests import Response, Session
from requests.exceptions import RequestException
from requests.utils import get_environ_proxies

from providers.errors import Denied, Transient, Unreachable
from providers.secret import Secret
from providers.vault.transport import TIMEOUTS, TooLarge, whole

_URL, _TOKEN = "ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"
_LARGEST = 1 << 16
_HERE = ("https://", "http://127.0.0.1:", "http://localhost:")


def identity_token(audience: str | None) -> Secret:
    """Ask GitHub for a token of this job, made out to an audience; raises `Denied`, `Transient`."""
    url, bearer = os.environ.get(_URL, ""), os.environ.get(_TOKEN, "")
    if not url.startswith(_HERE) or not bearer:
        raise Denied(
            "this is no job of GitHub Actions that may have a token: give it the permission"
            " `id-token: write`, or name a file of the host under `auth.jwt.tokenFile`"
        )
    asked = f"{url}&audience={quote(audience, safe='')}" if audience else url
    return _asked(asked, bearer)


def _asked(url: str, bearer: str) -> Secret:
    try:
        with Session() as session:
            session.trust_env = False
            with session.get(
                url,
                headers={"Authorization": f"bearer {bearer}", "Accept": "application/json"},
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
                proxies=dict(get_environ_proxies(url)) if url.startswith("https:") else None,
            ) as answer:
                return _value(answer)
    except (RequestException, TooLarge):
        # their words may hold the request, and so the token it was made with
        raise Transient("GitHub gave no token: it could not be asked") from None


def _value(answer: Response) -> Secret:
    status, body = answer.status_code, whole(answer, _LARGEST, "")
    if status >= 500 or status == 429:
        raise Transient(f"GitHub gave no token (HTTP {status})")
    try:
        value = json.loads(body)["value"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Unreachable(f"GitHub gave no token (HTTP {status})") from None
    return Secret(str(value).encode())
