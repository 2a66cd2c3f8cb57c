"""How a name is proved (RFC 8555 section 8): which solver presents what, and takes it away again."""

from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from acme import challenges as kinds
from josepy.errors import DeserializationError
from josepy.json_util import decode_b64jose, encode_b64jose
from josepy.jwk import JWK

from providers.acme.answers import Authorization, Challenge
from providers.acme.errors import LONGEST
from providers.acme.waiting import Waiting
from providers.errors import Conflict, Denied, ProviderError
from providers.issuing import no_secrets
from providers.registry import make_dns_solver, make_http_solver
from providers.secret import Secret
from providers.solvers.delegation import record_for
from providers.solvers.propagation import PropagationWait
from providers.solving import Settler, TxtRecord, WebFile
from providers.words import printable
from schemas.connection import Connected
from schemas.secrets import SecretReference
from schemas.solver_choice import SolverChoice
from schemas.solvers import Dns01, Http01

HTTP, DNS = "http-01", "dns-01"


@dataclass(frozen=True, slots=True)
class Proof:
    """One name's: `clean_up` undoes what `present` does; a `record` is waited for as `dns01` says.

    `settler` is the solver, where its provider tells when its own name servers have the record.
    """

    name: str
    challenge: Challenge
    present: Callable[[], None]
    clean_up: Callable[[], None]
    record: TxtRecord | None = None
    dns01: Dns01 | None = None
    settler: Settler | None = None


@dataclass(slots=True)
class Proofs:
    """Makes proofs with an account's key. Solvers are made once: they may share what they start."""

    key: JWK = field(repr=False)
    choice: SolverChoice
    secret: Callable[[SecretReference], Secret] = no_secrets
    left: list[str] = field(default_factory=list)
    """What could not be taken away, and why: it harms nobody, but somebody should know."""
    _made: dict[int, Any] = field(default_factory=dict)

    def make(self, name: str, wanted: Authorization) -> Proof:
        """Decide how a name is proved; `Denied` without a solver for it, `Conflict` if the CA takes none."""
        solver = self.choice.solver(name)
        if solver is None:
            raise Denied(f"no solver of the Issuer is for {name}: write one, or widen a selector")
        if solver.dns01 is not None:
            return self._by_dns(name, _offered(wanted, DNS, name), solver.dns01)
        if solver.http01 is not None:
            return self._by_http(name, _offered(wanted, HTTP, name), solver.http01)
        raise TypeError(name)

    def present(self, proofs: tuple[Proof, ...], presented: ExitStack, waiting: Waiting) -> None:
        """Present all, and wait until the world sees what is in DNS; the stack takes it away again."""
        for proof in proofs:
            # first of all: what was presented by half has to go as well
            presented.callback(self.take_away, proof, waiting)
            waiting.alive()
            proof.present()
        for settler in {id(proof.settler): proof.settler for proof in proofs}.values():
            if settler is not None:
                waiting.alive()
                settler.settle()
        for dns01 in {id(proof.dns01): proof.dns01 for proof in proofs if proof.dns01}.values():
            records = [proof.record for proof in proofs if proof.dns01 is dns01 and proof.record]
            PropagationWait(dns01.propagation, waiting.nap).until_answered(records)

    def take_away(self, proof: Proof, waiting: Waiting) -> None:
        """Clean up, whoever presented it; what stays behind must not hide how the order went."""
        waiting.alive()
        try:
            proof.clean_up()
        except ProviderError as why:
            self.left.append(f"what proved {proof.name} was not taken away: {why}")

    def tidy(self, name: str, wanted: Authorization, waiting: Waiting) -> None:
        """Take away what was presented for a name, if it is known how that was done."""
        with suppress(ProviderError):
            self.take_away(self.make(name, wanted), waiting)

    def leftovers(self) -> tuple[str, ...]:
        """Tell once what was left behind since this was last asked."""
        told, self.left[:] = tuple(self.left), []
        return told

    def _by_dns(self, name: str, challenge: Challenge, dns01: Dns01) -> Proof:
        value = kinds.DNS01(token=_token(challenge)).validation(self.key)
        record = record_for(name, value, dns01)
        solver = self._solver(dns01.settings, partial(make_dns_solver, dns01, self.secret))
        undo = partial(solver.clean_up, record)
        settler = solver if isinstance(solver, Settler) else None
        return Proof(name, challenge, partial(solver.present, record), undo, record, dns01, settler)

    def _by_http(self, name: str, challenge: Challenge, http01: Http01) -> Proof:
        content = kinds.HTTP01(token=_token(challenge)).key_authorization(self.key)
        file = WebFile(name, content.partition(".")[0], content)
        solver = self._solver(http01.settings, partial(make_http_solver, http01))
        undo = partial(solver.clean_up, file)
        return Proof(name, challenge, partial(solver.present, file), undo)

    def _solver(self, settings: Connected, make: Callable[[], Any]) -> Any:
        """Return the solver of these settings, which live as long as the Issuer's document does."""
        if id(settings) not in self._made:
            self._made[id(settings)] = make()
        return self._made[id(settings)]


def _offered(wanted: Authorization, kind: str, name: str) -> Challenge:
    found = next((one for one in wanted.challenges if one.type == kind), None)
    if found is None:
        offered = printable(", ".join(one.type for one in wanted.challenges), LONGEST) or "nothing"
        raise Conflict(f"the CA takes no {kind} for {name}, but {offered}: choose another solver")
    return found


def _token(challenge: Challenge) -> bytes:
    """Return a challenge's token; raises `Conflict` for one that is not base64url (RFC 8555 section 8.1)."""
    try:
        token: bytes = decode_b64jose(challenge.token or "")
    except DeserializationError:
        token = b""
    if len(token) < kinds.HTTP01.TOKEN_SIZE or encode_b64jose(token) != challenge.token:
        raise Conflict("the CA's token is not base64url of 128 bits (RFC 8555 section 8.1)")
    return token
