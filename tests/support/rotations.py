"""The repository of the fault tests with bundles, lists and responses, where CAs are to give way."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import judge
import rig
from judge import Wanted
from onlooker import View, troubles, unsettled
from rig import Repository, Runner

AUTHORITIES, BUNDLES = "authorities/ca.yaml", "config/bundles.yaml"
DOCUMENTS: Mapping[str, str] = {
    **rig.DOCUMENTS,
    AUTHORITIES: """\
kind: Authority
metadata: {name: root}
spec: {commonName: Fault Root, duration: 10y, generation: 1, crossSign: true}
---
kind: Authority
metadata: {name: issuing}
spec: {parentRef: root, commonName: Fault Issuing, duration: 5y, ocsp: {}}
""",
    BUNDLES: """\
kind: Bundle
metadata: {name: corp}
spec: {authorities: [root], targets: [edge, mesh], overlap: 30d}
""",
}
STOLEN = """\
kind: Revocation
metadata: {{name: stolen}}
spec: {{authorityRef: {authority}, generation: 1, reason: keyCompromise}}
"""
TWICE = {"one": 2, "two": 2, "three": 2}
ROOTS = frozenset({"root-g1", "root-g2"})


@dataclass(frozen=True, slots=True)
class Change:
    """Where to start from, what there was to rely on then, and how it must end."""

    template: Repository
    wanted: Wanted
    before: View

    @classmethod
    def of(cls, template: Repository, wanted: Wanted) -> "Change":
        """Return a change that begins with what there is now."""
        return cls(template, wanted, View.of(template.root))

    def ends(self, runner: Runner, repository: Repository, *, listed: bool = True) -> list[str]:
        """Return what is wrong now, `listed` as onlookers see it, and what is still so after an apply."""
        root, before = repository.root, self.before
        now = [*judge.served(root, complete=True), *troubles(root, before, listed=listed)]
        left = judge.recovered(runner, repository, self.wanted)
        return [*now, *left, *troubles(root, before), *unsettled(root, self.wanted)]


def edited(repository: Repository, place: Path, name: str, old: str, new: str) -> Repository:
    """Return a copy in which words of a document are others."""
    copy = repository.kept(place)
    file = copy.root / name
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    return copy


def rotate(trusted: Repository, place: Path) -> Change:
    """Let the root give way to its next generation, which the one before vouches for."""
    template = edited(trusted, place, AUTHORITIES, "generation: 1", "generation: 2")
    lists, authorities = ROOTS | {"issuing-g1"}, {"root": 3, "issuing": 2}
    wanted = Wanted(TWICE, frozenset(), authorities, lists, ROOTS, {"issuing-g1": 6})
    return Change.of(template, wanted)


def withdraw(runner: Runner, rotating: Change, place: Path) -> Change:
    """Let the old root leave the bundles: it has given way, and its overlap is over."""
    rotated = rig.fill(runner, rotating.template, place / "rotated")
    template = edited(rotated, place, BUNDLES, "overlap: 30d", "overlap: 1s")
    time.sleep(1.1)
    return Change.of(template, replace(rotating.wanted, anchors=frozenset({"root-g2"})))


def compromise(trusted: Repository, place: Path) -> Change:
    """Let the key of the intermediate be stolen: it is replaced, and all that it signed."""
    template, gone = _stolen(trusted, "issuing", place)
    lists, trees = frozenset({"root-g1", "issuing-g1", "issuing-g2"}), ("issuing-g1", "issuing-g2")
    authorities, anchors = {"root": 1, "issuing": 2}, frozenset({"root-g1"})
    wanted = Wanted(TWICE, gone, authorities, lists, anchors, dict.fromkeys(trees, 3))
    return Change.of(template, wanted)


def uproot(trusted: Repository, place: Path) -> Change:
    """Let the key of the root be stolen: its anchor goes in the same run."""
    template, gone = _stolen(trusted, "root", place)
    lists, authorities = ROOTS | {"issuing-g1"}, {"root": 2, "issuing": 2}
    anchors = frozenset({"root-g2"})
    wanted = Wanted(TWICE, gone, authorities, lists, anchors, {"issuing-g1": 6})
    return Change.of(replace(template, options=("--allow-mass-change",)), wanted)


def _stolen(trusted: Repository, authority: str, place: Path) -> tuple[Repository, frozenset[int]]:
    """Return a copy whose CA's key was stolen, and the serials that are to be revoked for it."""
    copy = trusted.kept(place)
    (copy.root / "revocations").mkdir()
    (copy.root / "revocations" / "stolen.yaml").write_text(STOLEN.format(authority=authority))
    state = judge.ledger(copy.root)
    signed = [i for i in judge.issuances(state) if i.request.issuer == authority]
    gone = (*state.authorities[authority].issuances, *signed)
    return copy, frozenset(judge.number(each.serial) for each in gone)
