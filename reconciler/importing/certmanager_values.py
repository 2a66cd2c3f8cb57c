"""Values as cert-manager writes them: Go's durations, kinds of keys."""

import re
from datetime import timedelta

from reconciler.importing.survey import Survey
from reconciler.resolve.keys import SIZES
from schemas.certificate import Algorithm
from schemas.request import KeyType

_GO = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|m|s|ms|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def go_duration(text: str | None) -> timedelta | None:
    """Return a duration as Go writes it, `2160h0m0s`; None for anything else."""
    parts = _GO.findall(text or "")
    if not parts or "".join(n + u for n, u in parts) != text:
        return None
    seconds = round(sum(float(number) * _SECONDS[unit] for number, unit in parts))
    return timedelta(seconds=seconds) if 0 < seconds < 10**10 else None


def kind_of_key(survey: Survey) -> KeyType | None:
    """Return the kind of key that is meant; None for one that is not made."""
    written = survey.text("spec", "privateKey", "algorithm") or "RSA"
    size = survey.text("spec", "privateKey", "size")
    try:
        algorithm = Algorithm(written)
    except ValueError:
        return None
    meant = int(size[:6]) if size and size.isdecimal() and algorithm is not Algorithm.ED25519 else 0
    kind = KeyType(algorithm=algorithm, size=meant or SIZES[algorithm][0])
    return kind if kind.size in SIZES[algorithm] else None
