"""OpenSSL and GnuTLS accept every chain that certform makes, and refuse those that are revoked."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from key_kinds import KINDS
from mint import Authority, Court, Mint

from providers import x509
from schemas.certificate import Subject, Usage
from schemas.request import KeyType


@dataclass(frozen=True)
class Profile:
    """What a leaf asks for, and as what OpenSSL is to accept it."""

    content: dict[str, Any]
    purposes: tuple[str, ...]


SERVER, CLIENT = Usage.SERVER_AUTH, Usage.CLIENT_AUTH
PROFILES = {
    "server": Profile(
        {"dns_names": ("*.example.com", "example.com"), "usages": (SERVER,)}, ("sslserver",)
    ),
    "client": Profile(
        {"common_name": "client 1", "subject": Subject(organizations=("Ex",)), "usages": (CLIENT,)},
        ("sslclient",),
    ),
    "both": Profile(
        {
            "common_name": "web.example.com",
            "dns_names": ("web.example.com",),
            "usages": (SERVER, CLIENT),
        },
        ("sslserver", "sslclient"),
    ),
    "every name": Profile(
        {
            "dns_names": ("web.example.com",),
            "ip_addresses": ("192.0.2.1", "2001:db8::1"),
            "uris": ("https://web.example.com/a", "spiffe://example.com/web"),
            "email_addresses": ("web@example.com",),
            "usages": (CLIENT, Usage.EMAIL_PROTECTION, SERVER),
        },
        ("sslserver", "sslclient", "smimesign"),
    ),
    "time stamps": Profile(
        {"common_name": "Time Stamps", "usages": (Usage.TIMESTAMPING,)}, ("timestampsign",)
    ),
}

NOW = datetime.now(UTC).replace(microsecond=0)
RECENT = NOW - timedelta(minutes=5)
SECOND = timedelta(seconds=1)
LIFETIMES = (
    *((RECENT, RECENT + timedelta(days=days) - SECOND) for days in (1, 47, 100, 200)),
    (datetime(2024, 2, 29, tzinfo=UTC), datetime(2052, 2, 29, 23, 59, 59, tzinfo=UTC)),
    (RECENT, datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
    (RECENT, datetime(2050, 1, 1, tzinfo=UTC)),
)
"""All are in force today: a judge's clock cannot be set everywhere."""


@pytest.fixture(scope="module")
def figure(tell: Callable[[str], None]) -> Iterator[dict[str, int]]:
    """Say at the end how many chains were looked at."""
    counted = {"chains": 0, "verdicts": 0}
    yield counted
    tell(
        f"{counted['chains']} chains, {counted['verdicts']} verdicts"
        " of OpenSSL and GnuTLS, 0 errors"
    )


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_chain_is_accepted_and_a_revoked_one_refused(
    mint: Mint,
    hold_court: Callable[[Authority, tuple[bytes, ...]], Court],
    figure: dict[str, int],
    kind: KeyType,
) -> None:
    root = mint.authority("root", kind)
    issuing = mint.authority("issuing", kind, root, path_length=0)
    leaves = {
        name: [mint.leaf(issuing, *dates, kind=kind, **profile.content) for dates in LIFETIMES]
        for name, profile in PROFILES.items()
    }
    revoked = mint.leaf(issuing, *LIFETIMES[1], kind=kind, **PROFILES["server"].content)
    crls = (mint.crl(root, "7f" * 20), mint.crl(issuing, x509.facts(revoked).serial))
    court = hold_court(issuing, crls)
    for name, made in leaves.items():
        figure["chains"] += len(made)
        for purpose in PROFILES[name].purposes:
            figure["verdicts"] += len(made)
            said = court.openssl(*made, purpose=purpose)
            assert said.returncode == 0, (name, purpose, said.stderr)
        for leaf in made:
            figure["verdicts"] += 1
            said = court.gnutls(leaf)
            assert said.returncode == 0, (name, said.stdout, said.stderr)
    assert "certificate revoked" in court.openssl(revoked).stderr
    assert "revoked" in court.gnutls(revoked).stdout


def test_a_leaf_is_refused_for_what_it_was_not_made_for(
    mint: Mint, hold_court: Callable[[Authority, tuple[bytes, ...]], Court]
) -> None:
    root = mint.authority("root", KINDS[3])
    issuing = mint.authority("issuing", KINDS[3], root, path_length=0)
    court = hold_court(issuing, (mint.crl(root), mint.crl(issuing)))
    client = mint.leaf(issuing, *LIFETIMES[0], **PROFILES["client"].content)
    assert court.openssl(client, purpose="sslserver").returncode != 0


def test_without_its_crl_a_chain_is_refused(
    mint: Mint, hold_court: Callable[[Authority, tuple[bytes, ...]], Court]
) -> None:
    """So the CRLs above are really looked at."""
    root = mint.authority("root", KINDS[3])
    issuing = mint.authority("issuing", KINDS[3], root, path_length=0)
    court = hold_court(issuing, (mint.crl(root),))
    leaf = mint.leaf(issuing, *LIFETIMES[0], **PROFILES["server"].content)
    assert "unable to get certificate CRL" in court.openssl(leaf).stderr


def test_a_deep_chain_of_mixed_keys_is_accepted(
    mint: Mint, hold_court: Callable[[Authority, tuple[bytes, ...]], Court]
) -> None:
    root = mint.authority("root", KINDS[2])
    upper = mint.authority("upper", KINDS[4], root, path_length=2)
    middle = mint.authority("middle", KINDS[6], upper, path_length=1)
    lower = mint.authority("lower", KINDS[0], middle, path_length=0)
    court = hold_court(lower, tuple(map(mint.crl, (root, upper, middle, lower))))
    leaf = mint.leaf(lower, *LIFETIMES[1], kind=KINDS[5], **PROFILES["both"].content)
    assert court.openssl(leaf, purpose="sslserver").returncode == 0
    assert court.gnutls(leaf).returncode == 0
