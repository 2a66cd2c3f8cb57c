"""When a certificate is renewed: well before its end, spread so that many never fall due at once."""

import hashlib
from datetime import datetime, timedelta

from reconciler.guard import CLOCK_TOLERANCE
from reconciler.leads import Lead, most_left, time_left
from reconciler.ledger.records import Issuance

SPREAD = 0.2
"""The share of the renewal window that renewals are spread over, earlier rather than later."""


def fraction(key: str) -> float:
    """Return a number in [0, 1) that is always the same for a key and evenly spread over keys."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6]) / 2**48


def is_ahead(moment: datetime, now: datetime) -> bool:
    """Whether a moment is still to come, by more than right clocks differ: a wrong clock wrote it."""
    return moment > now + CLOCK_TOLERANCE


def is_resumable(reserved: Issuance, digest: str, now: datetime) -> bool:
    """Whether a reservation, once signed, is a certificate of use for what `digest` asks for."""
    usable = reserved.not_after > now and not is_ahead(reserved.not_before, now)
    return usable and reserved.digest == digest


def is_awaited(reserved: Issuance, digest: str, now: datetime) -> bool:
    """Whether a reservation is to become a certificate for `digest`, though not with the dates it has.

    What was never ordered from a CA of others waits for its quotas, however long that is. A reservation
    whose time is over by then makes room for another.
    """
    waits = reserved.reference is not None and reserved.order is None
    begun = reserved.digest == digest and not is_ahead(reserved.not_before, now)
    return (waits and begun) or is_resumable(reserved, digest, now)


def is_due(issuance: Issuance, renew_before: Lead, now: datetime) -> bool:
    """Whether the clock alone asks for a new certificate in place of an issued one."""
    return is_ahead(issuance.not_before, now) or renewal_time(issuance, renew_before) <= now


def life_of(issuance: Issuance) -> timedelta:
    """Return how long a certificate really lives, whatever was asked for."""
    return issuance.not_after - issuance.not_before


def renewal_time(issuance: Issuance, renew_before: Lead) -> datetime:
    """Return when an issued certificate falls due: at most a fifth of `renew_before` early, by its serial.

    It never does within the first tenth of its life, or it would be renewed as soon as it is made.
    """
    return issuance.not_after - lead(life_of(issuance), renew_before, issuance.serial)


def latest_renewal(issuance: Issuance, renew_before: Lead) -> datetime:
    """Return when an issued certificate falls due at the latest: all of them at once, were nothing spread."""
    life = life_of(issuance)
    return issuance.not_after - min(time_left(renew_before, life), most_left(renew_before, life))


def lead(life: timedelta, renew_before: Lead, key: str) -> timedelta:
    """Return how long before its end a certificate falls due that lives so long, spread by `key`."""
    left = time_left(renew_before, life)
    early = left * SPREAD * fraction(key)
    return min(left + early, most_left(renew_before, life))


def renewal_time_of_adopted(
    not_after: datetime, serial: str | None, renew_before: Lead, life: timedelta
) -> datetime:
    """Return when what somebody else issued falls due: as ours does; `life` is as long as is known."""
    return not_after - time_left(renew_before, life) * (1 + SPREAD * fraction(serial or ""))


def late_time(due: datetime, end: datetime) -> datetime:
    """Return when half of the time to renew something in is over: by then many nights have failed to."""
    return due + (end - due) / 2


def crl_refresh_time(
    this_update: datetime, next_update: datetime, refresh_before: timedelta | None = None
) -> datetime:
    """Return when a CRL is signed anew: at half its life, so that a missed night does no harm, or as asked.

    One that ends sooner than it was to, with its CA, is never refreshed before half of its life.
    """
    half = this_update + (next_update - this_update) / 2
    if refresh_before is None:
        return half
    asked = next_update - refresh_before
    return asked if asked > this_update else half
