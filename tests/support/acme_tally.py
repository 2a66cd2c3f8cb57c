"""A repository with a front of its own before Pebble, so that what each costs there is counted apart."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import judge
from acme_estate import ISSUER, AcmeEstate
from acme_front import Front, purpose
from rig import Repository, Runner
from wire import Request, Response

from reconciler.ledger.records import Status

WEBROOT = ISSUER.replace('standalone: {{listen: "{listen}"}}', "webroot: {{path: {webroot}}}")
"""An Issuer that leaves its proofs in a folder, where they can be counted."""


@dataclass
class Tally:
    """Passes all on, and counts what was done of it."""

    front: Front
    orders: list[str] = field(default_factory=list)
    """What Pebble calls the orders that were placed."""
    finalized: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Response:
        """Ask the CA."""
        answer = self.front.passed(request)
        what = purpose(request)
        if what == "newOrder" and answer.status == 201:
            self.orders.append(answer.headers["Location"].rpartition("/")[2])
        if what == "finalize" and answer.status == 200:
            self.finalized.append(request.path.rpartition("/")[2])
        return answer

    def issued(self) -> tuple[int, ...]:
        """The serials that Pebble says it issued for these orders, the oldest first."""
        told = re.findall(r"Issued certificate serial (\w+) for order (\S+)", self.front.ca.log)
        return tuple(int(serial, 16) for serial, order in told if order in self.orders)


@dataclass
class CountedEstate(AcmeEstate):
    """A copy of an estate, all of whose requests are counted."""

    front: Front
    tally: Tally

    @classmethod
    @contextmanager
    def of(
        cls, estate: AcmeEstate, repository: Repository, runner: Runner
    ) -> Iterator["CountedEstate"]:
        """Make it around a copy of the estate's repository."""
        with Front.running(estate.pebble) as front:
            front.instead = tally = Tally(front)
            made = cls(repository, runner, estate.pebble, front, tally)
            made.webroot.mkdir()
            made.root.write_bytes(estate.pebble.manage("roots/0"))
            made.write("config/issuers.yaml", WEBROOT.format(url=front.url, webroot=made.webroot))
            yield made

    @property
    def webroot(self) -> Path:
        """Where a web server of this host would look for proofs."""
        return self.repository.temporary.parent / "webroot"

    @property
    def root(self) -> Path:
        """The CA's own certificate."""
        return self.repository.temporary.parent / "root.pem"

    def served_badly(self) -> Iterator[str]:
        """Yield what keeps a server from using what is installed; nothing need be."""
        current = self.repository.root / "live/edge/web/current"
        if current.parent.exists():
            yield from judge.unusable(current, self.root)

    def unsettled(self, *, certificates: int, surplus: int) -> Iterator[str]:
        """Yield what is wrong after all has settled, when so many orders may have been placed in vain."""
        issued = self.tally.issued()
        if len(issued) > certificates:
            yield f"surplus: {len(issued)} certificates"
        if len(self.tally.orders) > len(issued) + surplus:
            yield f"surplus: {len(self.tally.orders)} orders, {len(issued)} certificates"
        if len(self.tally.finalized) != len(issued):
            yield f"{len(self.tally.finalized)} finalized, {len(issued)} issued"
        if unknown := set(issued) ^ self._known():
            yield f"unrecorded: {unknown}"
        if self.served().serial_number != issued[-1]:
            yield "stranded: the newest is not installed"
        if left := [path.name for path in self.webroot.rglob("*") if path.is_file()]:
            yield f"proofs are left: {left}"
        if self.run("log", "--verify").status != 0:
            yield "the ledger's history is not sound"

    def _known(self) -> set[int]:
        found = judge.ledger(self.repository.root).certificates["web"].issuances
        return {judge.number(i.serial) for i in found if i.status is Status.ISSUED}
