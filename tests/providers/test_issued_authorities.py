"""What is believed of a CA's certificate that others signed: what was asked for, and nothing else."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers import x509
from providers.errors import Rejected
from providers.issued import check_authority, narrowed
from providers.issuing import AuthorityOrder, Issued
from providers.signer import KeySigner, PrivateKey
from providers.specimens import P256, Specimens
from providers.x509.ordering import authority_signing_request
from schemas.authority import NameConstraints, NameForms
from schemas.certificate import Subject, Usage
from schemas.request import AuthorityRequest, LeafRequest

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ASKED = AuthorityRequest(
    issuer="company",
    issuer_generation=0,
    issuer_id="https://vault.example.com/pki",
    generation=1,
    common_name="Example Services CA G1",
    subject=Subject(organizations=("Example Ltd",)),
    key=P256,
    duration=100 * 86_400,
    path_length=0,
    name_constraints=NameConstraints(permitted=NameForms(dns_domains=("example.com",))),
)


class Bench:
    """A CA of others, our key, and what is asked for by it."""

    def __init__(self) -> None:
        self.ca = Specimens.make(NOW)
        self.key = x509.generate_key(P256)
        self.order = AuthorityOrder(
            csr=authority_signing_request(ASKED, KeySigner(self.key)),
            request=ASKED,
            not_before=NOW,
            not_after=NOW + 100 * DAY,
            token=secrets.token_hex(16),
            checkpoint=lambda _: None,
        )

    def signed(
        self,
        said: AuthorityRequest | LeafRequest = ASKED,
        key: PrivateKey | None = None,
        start: datetime = NOW,
        end: datetime = NOW + 100 * DAY,
    ) -> Issued:
        """Return what the CA makes of what it takes to be asked for."""
        public = x509.spki((key or self.key).public_key())
        tbs = x509.ToBeSigned(said, x509.new_serial(), start, end, public)
        issuer = x509.IssuingAuthority.load(self.ca.intermediate, (self.ca.root,))
        der = x509.sign(tbs, issuer, KeySigner(self.ca.key))
        return Issued(der, (self.ca.intermediate,), (self.ca.root,))

    def against(self, issued: Issued, now: datetime = NOW) -> str:
        """Return what is said against an answer."""
        with pytest.raises(Rejected) as refused:
            check_authority(issued, self.order, now)
        return str(refused.value)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench()


def saying(**fields: object) -> AuthorityRequest:
    return ASKED.model_copy(update=fields)


def test_what_was_asked_for_is_believed(bench: Bench) -> None:
    answer = bench.signed()
    assert check_authority(answer, bench.order, NOW).sha256 == x509.facts(answer.certificate).sha256


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (saying(path_length=1), "its path length is 1 and not 0"),
        (saying(path_length=None), "its path length is None and not 0"),
        (saying(name_constraints=None), "its name constraints are not those asked for"),
        (
            saying(
                name_constraints=NameConstraints(permitted=NameForms(dns_domains=("example.org",)))
            ),
            "its name constraints are not those asked for",
        ),
        (saying(common_name="Another CA"), "its name is CN=Another CA,O=Example Ltd"),
        (saying(subject=Subject()), "its name is CN=Example Services CA G1"),
    ],
)
def test_what_says_anything_else_is_not_believed(
    bench: Bench, said: AuthorityRequest, words: str
) -> None:
    assert words in bench.against(bench.signed(said))


def test_a_leaf_in_the_place_of_a_ca_is_not_believed(bench: Bench) -> None:
    leaf = LeafRequest(
        issuer="company",
        issuer_generation=0,
        common_name="Example Services CA G1",
        dns_names=("www.example.com",),
        usages=(Usage.SERVER_AUTH,),
        key=P256,
        duration=86_400,
    )
    assert "it is no CA" in bench.against(bench.signed(leaf))


def test_another_key_is_not_believed(bench: Bench) -> None:
    other = x509.generate_key(P256)
    assert "its key is not that of the signing request" in bench.against(bench.signed(key=other))


def test_the_life_is_the_one_asked_for(bench: Bench) -> None:
    longer, later = bench.signed(end=NOW + 101 * DAY), bench.signed(start=NOW + DAY)
    assert "it lives longer than asked for" in bench.against(longer)
    assert "it is not valid yet" in bench.against(later)
    assert "it has expired" in bench.against(bench.signed(), NOW + 101 * DAY)
    check_authority(bench.signed(end=NOW + DAY), bench.order, NOW)


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda a, _: replace(a, chain=(), anchors=()), "no issuer came with it"),
        (lambda a, _: replace(a, chain=(), anchors=(a.anchors[0],)), "no trust anchor issued"),
        (lambda a, o: replace(a, chain=(o.intermediate,)), "cannot be used"),
        (lambda a, o: replace(a, anchors=(o.root,)), "cannot be used"),
        (lambda a, o: replace(a, chain=(o.intermediate,), anchors=(o.root,)), "broken"),
        (lambda a, _: replace(a, certificate=b"\x30\x00"), "cannot be read as a certificate"),
    ],
)
def test_a_chain_that_does_not_hold_is_not_believed(
    bench: Bench, edit: Callable[[Issued, Specimens], Issued], words: str
) -> None:
    assert words in bench.against(edit(bench.signed(), Specimens.make(NOW)))


def test_what_outlives_its_issuer_is_not_believed(bench: Bench) -> None:
    ended = Specimens.make(NOW - 300 * DAY)
    issuer = x509.IssuingAuthority.load(ended.intermediate, (ended.root,))
    longer = replace(issuer, not_after=NOW + 400 * DAY)
    key = x509.spki(bench.key.public_key())
    tbs = x509.ToBeSigned(ASKED, x509.new_serial(), NOW, NOW + 100 * DAY, key)
    der = x509.sign(tbs, longer, KeySigner(ended.key))
    answer = Issued(der, (ended.intermediate,), (ended.root,))
    assert "it outlives what signed it" in bench.against(answer)


def test_of_several_anchors_the_one_that_the_chain_ends_at_is_kept(bench: Bench) -> None:
    answer, other = bench.signed(), Specimens.make(NOW)
    several = replace(answer, anchors=(other.root, *answer.anchors))
    check_authority(several, bench.order, NOW)
    assert narrowed(several) == answer
    assert narrowed(replace(answer, anchors=())).anchors == ()
