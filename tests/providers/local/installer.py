"""Installs one new certificate over the one that is there, once a line arrives on standard input."""

import sys
from datetime import UTC, datetime
from pathlib import Path

from providers.base import TargetConfig
from providers.conformance import OURS, request
from providers.errors import ProviderError
from providers.local.directory import LocalDirectoryTarget
from providers.specimens import Specimens
from schemas.target import LocalDirectory, TargetSpec

REFUSED = 3


def main(root: str) -> int:
    spec = TargetSpec(local_directory=LocalDirectory(path="tls", keep_generations=1))
    target = LocalDirectoryTarget.from_config(TargetConfig("local", spec, OURS, Path(root)))
    now = datetime.now(UTC)
    (before,) = target.observe()
    wanted = request("web", Specimens.make(now).bundle("www.example.com", now), before)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    try:
        target.install(wanted)
    except ProviderError:
        return REFUSED
    return 0


sys.exit(main(sys.argv[1]))
