"""What GitHub, or something on the way there, answers on a bad day.

https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import json
import time

from wire import Response

JSON = {"Content-Type": "application/json; charset=utf-8"}


def said(status: int, message: str, **headers: str) -> Response:
    """Return an error of GitHub; an underscore in a header's name is a hyphen."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, json.dumps({"message": message}).encode(), {**JSON, **named})


def bad_gateway() -> Response:
    """Return what GitHub's front answers when what is behind it did not answer in ten seconds."""
    return said(502, "Server Error")


def too_many(seconds: int) -> Response:
    """Return the wish to be left alone for a while."""
    return said(429, "too many requests", Retry_After=str(seconds))


def secondary_limit(seconds: int | None = None) -> Response:
    """Return the limit of how much is made in a minute, which may come without a number of seconds."""
    text = (
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    )
    return said(403, text, **({} if seconds is None else {"Retry_After": str(seconds)}))


def primary_limit(seconds: int) -> Response:
    """Return the limit of an hour's requests, which ends in so many seconds."""
    reset = str(int(time.time()) + seconds)
    text = "API rate limit exceeded for installation ID 1."
    return said(403, text, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)


def page_for_people() -> Response:
    """Return what a proxy or a wrong address answers."""
    return Response(200, b"<html>Welcome</html>", {"Content-Type": "text/html"})


def json_text(text: str, **headers: str) -> Response:
    """Return a text that is called JSON."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(200, text.encode(), {**JSON, **named})
