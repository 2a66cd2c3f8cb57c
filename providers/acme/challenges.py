"""The CA's side of a proof (RFC 8555 section 7.5): what it wants proved, that it looks, and how it judges."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from providers.acme import answers
from providers.acme.answers import Authorization, Challenge, Status
from providers.acme.errors import describe, hint, retry_after, sparing_the_order
from providers.acme.network import Network, Signer
from providers.acme.orders import normal
from providers.acme.proofs import Proofs
from providers.acme.waiting import Waiting
from providers.errors import Ambiguous, ProviderError, Rejected, Unproved
from providers.failpoints import reach
from providers.words import printable

_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Prover:
    """Proves names to one CA."""

    network: Network
    signer: Signer
    proofs: Proofs

    def prove(self, urls: Sequence[str], names: frozenset[str], waiting: Waiting) -> None:
        """Prove what is not proved yet; `Unproved` tells what the CA says of each name that failed.

        Returns also where the CA has not judged yet: how it stands is read from the order. What it may yet
        look at stays there then, for the next run to take away.
        """
        found = {url: self._read(url)[0] for url in urls}
        _check(found, names)
        pending = {url: one for url, one in found.items() if one.status is Status.PENDING}
        if not pending:
            return
        with ExitStack() as presented:
            with sparing_the_order():
                made = tuple(self.proofs.make(_name(a, names), a) for a in pending.values())
                self.proofs.present(made, presented, waiting)
            reach("acme.presented")
            for proof in made:
                self._answer(proof.challenge)
            reach("acme.answered")
            waiting.begin()
            if not self._judged(pending, names, waiting):
                presented.pop_all()

    def check(self, urls: Sequence[str], names: frozenset[str]) -> None:
        """Raise `Unproved` with what the CA says of each name that failed, if any has."""
        _check({url: self._read(url)[0] for url in urls}, names)

    def tidy(self, urls: Sequence[str], names: frozenset[str], waiting: Waiting) -> None:
        """Take away what a run that died has left of proofs that the CA wants no more."""
        with suppress(ProviderError):
            found = [self._read(url)[0] for url in urls]
            for one in found:
                if one.status is not Status.PENDING and _name(one, names) in names:
                    self.proofs.tidy(_name(one, names), one, waiting)

    def _read(self, url: str) -> tuple[Authorization, float | None]:
        """Return an authorization, and the seconds that the CA wants to be left alone."""
        answer = self.network.read(url, self.signer)
        found = answers.read(Authorization, answer.body, "authorization")
        return found, retry_after(answer.headers)

    def _answer(self, challenge: Challenge) -> None:
        """Tell the CA to look, unless it does so already, for a run before this one.

        It is told twice where the first time may have been lost.
        """
        if challenge.status is not Status.PENDING:
            return
        try:
            self.network.change(challenge.url, None, self.signer)
        except Ambiguous:
            with suppress(ProviderError):  # whether it was told, and when, its judgement shows
                self.network.change(challenge.url, None, self.signer)

    def _judged(
        self, pending: Mapping[str, Authorization], names: frozenset[str], waiting: Waiting
    ) -> bool:
        """Wait for as long as one run waits; whether the CA has judged every name by then."""
        standing = dict(pending)
        left, asked = tuple(pending), None
        while left and waiting.pause(asked):
            read = {url: self._read(url) for url in left}
            standing.update((url, found) for url, (found, _) in read.items())
            left = tuple(url for url in left if standing[url].status is Status.PENDING)
            asked = max((wait for url in left if (wait := read[url][1]) is not None), default=None)
        _check(standing, names)
        return not left


def _check(found: Mapping[str, Authorization], names: frozenset[str]) -> None:
    """Raise `Unproved` where a name failed, `Rejected` where one is wanted that nobody asked for.

    One that is proved already is none of those: a CA may list the domain above it (RFC 9444).
    """
    wanted = [one for one in found.values() if one.status is not Status.VALID]
    if any(_name(one, names) not in names for one in wanted):
        raise Rejected("the CA wants a name to be proved that was not asked for")
    failed = [one for one in wanted if one.status is not Status.PENDING]
    if failed:
        more = f"; and {len(failed) - _MOST_TOLD} more" if len(failed) > _MOST_TOLD else ""
        said = "; ".join(_failure(one, names) for one in failed[:_MOST_TOLD])
        what = next((hint(c.error) for one in failed for c in one.challenges if c.error), "")
        raise Unproved(
            f"the CA does not take {said}{more}{what}", tuple(_name(one, names) for one in failed)
        )


def _failure(failed: Authorization, names: frozenset[str]) -> str:
    """Return which name failed, by which challenge, and what the CA says of it."""
    said = [
        f"{printable(one.type, 40)}: {describe(one.error)}"
        for one in failed.challenges
        if one.error
    ]
    return f"{_name(failed, names)} ({', '.join(said) or failed.status})"


def _name(found: Authorization, names: frozenset[str]) -> str:
    """Return the name that an authorization is for, as it was asked for."""
    value = normal(found.identifier.value)
    wild = f"*.{value}"
    return wild if found.wildcard or (value not in names and wild in names) else value
