"""Runs certform with everything that SDKs can be made to log or print, on stderr.

With `LOUD_UNSILENCED` in the environment certform's own silence is taken away, so that a search for what it
keeps back can be seen to find it.
"""

import http.client
import logging
import os
import sys
from contextlib import nullcontext

os.environ["GOOGLE_SDK_PYTHON_LOGGING_SCOPE"] = "google"  # read when Google's client is imported

import boto3
from azure.core.pipeline.policies import HttpLoggingPolicy, NetworkTraceLoggingPolicy

from providers import calls
from reconciler.__main__ import main


class Everything(logging.Formatter):
    """Writes whatever a record holds: Google's client puts requests beside the message."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{super().format(record)} {record.__dict__!r}"


def be_loud() -> None:
    """Let all that can be told be told."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Everything("%(name)s %(levelname)s %(message)s"))
    logging.root.addHandler(handler)
    logging.root.setLevel(1)
    boto3.set_stream_logger("", 1)
    for name in ("azure", "botocore", "google", "urllib3", "requests", "msal"):
        logging.getLogger(name).setLevel(1)
    http.client.HTTPConnection.debuglevel = 1
    HttpLoggingPolicy.REDACTED_PLACEHOLDER = "redacted"
    # what `logging_enable=True` of a client does: bodies of requests and answers
    NetworkTraceLoggingPolicy.__init__.__defaults__ = (True,)


be_loud()
if os.environ.get("LOUD_UNSILENCED"):
    setattr(calls._SILENCE.__class__, "kept", lambda _: nullcontext())  # noqa: B010
main()
