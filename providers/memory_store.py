"""What is in a place in memory; it outlives the targets that look at it."""

from collections import Counter
from dataclasses import dataclass, field, replace

from providers.abilities import HeldTrust
from providers.base import Bundle, Installed
from providers.errors import Conflict, ProviderError
from providers.signer import PrivateKey


@dataclass(frozen=True, slots=True)
class MemoryObject:
    """One object; `predecessor` is kept until the object is settled."""

    installed: Installed
    bundle: Bundle | None = None
    predecessor: "MemoryObject | None" = None
    settled: bool = True
    withdrawn: bool = False

    @property
    def beside(self) -> str:
        """The name it goes by once another of the same name supersedes it."""
        return f"{self.installed.name}~{self.installed.id.rpartition('/')[2]}"

    def called(self, name: str) -> "MemoryObject":
        """Return it under another name."""
        return replace(self, installed=replace(self.installed, name=name))


@dataclass(slots=True)
class MemoryStore:
    """What is in the place, what its consumer has loaded, and which calls are to fail.

    `failures` holds errors by verb, or by verb and object name (`install`, `verify:web`); each is
    raised once, in order. `calls` counts calls by verb. `keys` are those made here, by object name,
    that wait for a certificate. `trust` are the bundles of anchors, by name.
    """

    objects: dict[str, MemoryObject] = field(default_factory=dict)
    served: dict[str, str | None] = field(default_factory=dict)
    staged: dict[str, MemoryObject] = field(default_factory=dict)
    failures: dict[str, list[ProviderError]] = field(default_factory=dict)
    keys: dict[str, PrivateKey] = field(default_factory=dict, repr=False)
    trust: dict[str, HeldTrust] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    reachable: bool = True

    def at(self, id_: str) -> MemoryObject | None:
        """Return the object of an identity, whatever it is called by now."""
        return next((each for each in self.objects.values() if each.installed.id == id_), None)

    def make_room(self, made: MemoryObject) -> None:
        """Take away what an object replaces, or call it otherwise where it stays; `Conflict` for another."""
        before = made.predecessor.installed if made.predecessor else made.installed
        moves = before.name != made.installed.name and made.installed.name in self.objects
        if moves or self.objects.get(before.name) != made.predecessor:
            raise Conflict(f"{made.installed.id} was changed since it was staged")
        if made.predecessor is not None:
            del self.objects[before.name]
            if before.id != made.installed.id:
                aside = made.predecessor.called(made.predecessor.beside)
                self.objects[aside.installed.name] = aside

    def fail(self, call: str, *errors: ProviderError) -> None:
        """Let the next calls of a verb fail, one with each error."""
        self.failures.setdefault(call, []).extend(errors)

    def put_foreign(self, installed: Installed) -> None:
        """Put an object there that is nobody's we know."""
        self.objects[installed.name] = MemoryObject(installed)

    def tell(self, verb: str, name: str = "") -> None:
        """Count a call, and raise what it was told to fail with."""
        self.calls[verb] += not name
        errors = self.failures.get(f"{verb}:{name}" if name else verb)
        if errors:
            raise errors.pop(0)
