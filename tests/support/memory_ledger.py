"""A ledger in memory that judges every wave it is given, and the cipher and publisher that go with it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from providers import x509
from providers.base import Publication, Tree
from providers.errors import Denied, ProviderError, Unreachable
from providers.secret import Secret
from providers.sops.recipients import recipients_of
from reconciler.ledger import layout
from reconciler.ledger.contract import Wave
from reconciler.ledger.records import (
    AuthorityRecord,
    CertificateRecord,
    Issuance,
    LedgerState,
    Lineage,
    Status,
)
from reconciler.ledger.transitions import problems
from schemas.base import Model
from schemas.project import Recipient


class Crash(BaseException):
    """The process is gone: nothing may catch this."""


class ClearCipher:
    """Wraps and unwraps: what is sealed is none of its business. `identities` open what names them."""

    def __init__(self, identities: Iterable[str] | None = None) -> None:
        self.identities = None if identities is None else frozenset(identities)

    def encrypt(self, plaintext: Secret, recipients: Sequence[Recipient], /) -> bytes:
        age = [{"recipient": recipient.age} for recipient in recipients]
        return json.dumps({"clear": plaintext.reveal().hex(), "sops": {"age": age}}).encode()

    def decrypt(self, ciphertext: bytes, /) -> Secret:
        names = frozenset(recipients_of(ciphertext))
        if self.identities is not None and self.identities.isdisjoint(names):
            raise Denied(f"no key at hand opens what is meant for {', '.join(sorted(names))}")
        return Secret(bytes.fromhex(json.loads(ciphertext)["clear"]))


@dataclass
class MemoryJournal:
    """Holds the records. `crash_at` counts waves down to a crash, right before or after the last is kept."""

    state: LedgerState
    clock: Callable[[], datetime]
    keys: dict[str, dict[str, Secret]] = field(default_factory=dict)
    authority_keys: dict[tuple[str, int], bytes] = field(default_factory=dict)
    sealed: bytes = b""
    watch: Callable[[LedgerState, LedgerState], None] | None = None
    crash_at: int | None = None
    crash_after: bool = False
    waves: int = 0
    used: set[str] = field(default_factory=set)

    @classmethod
    def empty(cls, lineage: Lineage, clock: Callable[[], datetime]) -> "MemoryJournal":
        sealed = ClearCipher().encrypt(Secret(b"keyring"), [Recipient(age=lineage.leaf_recipient)])
        state = LedgerState(
            "0" * 40,
            lineage,
            {},
            {},
            {},
            frozenset(),
            lineage.created_at,
            layout.openers(sealed),
        )
        return cls(state, clock, sealed=sealed)

    def write(self, wave: Wave, /) -> None:
        crashing = self._counted()
        if crashing and not self.crash_after:
            raise Crash
        after = self._after(wave)
        self._judge(after)
        if self.watch:
            self.watch(self.state, after)
        self.state = after
        if crashing:
            raise Crash

    def rewrite(self, record: CertificateRecord) -> None:
        """Let the ledger say something else of a certificate, as after a loss."""
        certificates = {**self.state.certificates, record.name: record}
        self.state = replace(self.state, certificates=certificates)

    def renew(self) -> None:
        """Nobody else could take this over."""

    def leaf_keys(self, serials: Sequence[str], /) -> Mapping[str, Secret]:
        every = {s: key for bundle in self.keys.values() for s, key in bundle.items()}
        names = {s: i.name for s, i in _serials(self.state).items()}
        return {s: every[n] for s in serials if (n := names.get(s)) in every}

    def authority_key(self, authority: str, generation: int, /) -> bytes:
        return self.authority_keys[authority, generation]

    def keyring(self) -> bytes:
        return self.sealed

    def _counted(self) -> bool:
        self.waves += 1
        if self.crash_at is None:
            return False
        self.crash_at -= 1
        return self.crash_at == 0

    def _after(self, wave: Wave) -> LedgerState:
        kept = {n: r for n, r in self.state.certificates.items() if n not in wave.gone}
        cas = {n: r for n, r in self.state.authorities.items() if n not in wave.gone_authorities}
        certificates = {**kept, **{record.name: record for record in wave.certificates}}
        self._keep(wave, certificates)
        return replace(
            self.state,
            tip=f"{self.waves:040x}",
            tip_time=max(self.clock(), self.state.tip_time),
            certificates=certificates,
            authorities={**cas, **{record.name: record for record in wave.authorities}},
            crls={**self.state.crls, **{c.key: c for c in wave.crls}},
            ocsp={
                **{k: r for k, r in self.state.ocsp.items() if k[0] not in wave.gone_authorities},
                **{(r.authority, r.generation): r for r in wave.ocsp},
            },
            past={
                **{k: r for k, r in self.state.past.items() if k[0] not in wave.gone_authorities},
                **{(r.authority, r.generation): r for r in wave.past},
            },
            trust={
                **{n: r for n, r in self.state.trust.items() if n not in wave.gone_trust},
                **{record.name: record for record in wave.trust},
            },
            spending={
                **{k: r for k, r in self.state.spending.items() if k not in wave.gone_spending},
                **{record.key: record for record in wave.spending},
            },
            advice={
                **{n: r for n, r in self.state.advice.items() if n not in wave.gone_advice},
                **{record.issuer: record for record in wave.advice},
            },
            bundles=frozenset(self.keys),
            keyring=layout.openers(self.sealed),
            ca_keys={w: layout.openers(k) or frozenset() for w, k in self.authority_keys.items()},
        )

    def _keep(self, wave: Wave, certificates: Mapping[str, CertificateRecord]) -> None:
        """Keep what some record still says is kept, as the ledger on disk does."""
        if wave.bundle is not None:
            self.keys.setdefault(wave.bundle, {}).update(wave.new_keys)
        said = {
            (i.bundle, i.name)
            for record in certificates.values()
            for i in record.issuances
            if i.bundle is not None and i.serial not in wave.erase
        }
        for bundle, keys in list(self.keys.items()):
            left = {serial: key for serial, key in keys.items() if (bundle, serial) in said}
            self.keys[bundle] = left
            if not left:
                del self.keys[bundle]
        self.authority_keys.update(wave.authority_keys)
        self.sealed = wave.keyring or self.sealed
        for name in wave.gone_authorities:
            for key in [key for key in self.authority_keys if key[0] == name]:
                del self.authority_keys[key]

    def _judge(self, after: LedgerState) -> None:
        """Refuse a wave that unsays a fact or gives a serial out again."""
        assert list(problems(_files(self.state), _files(after), self.clock())) == []
        before, now = _serials(self.state), _serials(after)
        assert not (now.keys() - before.keys()) & self.used, "a serial was used again"
        self.used |= now.keys()
        for serial, issuance in now.items():
            held = issuance.status is not Status.ABANDONED and issuance.bundle is not None
            assert not held or issuance.name in self.keys.get(str(issuance.bundle), {}), serial


def _files(state: LedgerState) -> dict[str, Model]:
    records: dict[str, Model] = {f"certificates/{n}": r for n, r in state.certificates.items()}
    records |= {f"authorities/{n}": r for n, r in state.authorities.items()}
    records |= {f"crls/{k}": r for k, r in state.crls.items()}
    records |= {f"ocsp/{k}": r for k, r in state.ocsp.items()}
    records |= {f"past/{k}": r for k, r in state.past.items()}
    return {**records, "lineage": state.lineage}


def _serials(state: LedgerState) -> dict[str, Issuance]:
    records: list[CertificateRecord | AuthorityRecord] = [
        *state.certificates.values(),
        *state.authorities.values(),
    ]
    return {issuance.serial: issuance for record in records for issuance in record.issuances}


@dataclass
class MemoryPublisher:
    """Serves files from memory, and judges every CRL against the one before it."""

    clock: Callable[[], datetime]
    ends: Callable[[str], datetime | None]
    """When a serial expires, None when nobody knows."""
    files: dict[str, bytes] = field(default_factory=dict)
    failures: list[ProviderError] = field(default_factory=list)
    reachable: bool = True
    numbers: dict[str, int] = field(default_factory=dict)
    last: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, Tree] = field(default_factory=dict)
    looks: list[str] = field(default_factory=list)
    """The trees that somebody looked at."""

    def prepare(self) -> None:
        pass

    def published(self) -> Mapping[str, bytes]:
        if not self.reachable:
            raise Unreachable("the directory cannot be read")
        return dict(self.files)

    def publish(self, publications: Sequence[Publication], /) -> None:
        if self.failures:
            raise self.failures.pop(0)
        for each in publications:
            if each.name.endswith(".crl"):
                self._judge(each)
            self.files[each.name] = each.content

    def tree(self, name: str, /) -> Tree | None:
        self.looks.append(name)
        if not self.reachable:
            raise Unreachable("the directory cannot be read")
        return self.trees.get(name)

    def publish_tree(self, tree: Tree, /) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.trees[tree.name] = tree

    def _judge(self, publication: Publication) -> None:
        new = x509.read_crl(publication.content)
        if publication.content == self.last.get(publication.name):
            return  # the same once more, as a ceremony signed it
        self.last[publication.name] = publication.content
        assert new.number > self.numbers.get(publication.name, -1), "the CRL number did not rise"
        self.numbers[publication.name] = new.number
        try:
            old = x509.read_crl(self.files[publication.name])
        except (KeyError, ValueError):
            return
        for serial in old.entries.keys() - new.entries.keys():
            end = self.ends(serial)
            assert end is not None, f"the revocation of {serial} was forgotten"
            assert end <= self.clock(), f"the revocation of {serial} was unsaid"
