"""Signed requests (RFC 8555 section 6): every one takes a nonce, and is tried again with another.

The library `acme` signs. Its own client is not used: it repeats a refused nonce once only, forgets
what a 409 said, reads bodies of any size, and writes all it sends into the debug log.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

from acme.jws import JWS
from josepy.errors import DeserializationError
from josepy.interfaces import JSONDeSerializable
from josepy.json_util import decode_b64jose
from josepy.jwa import JWASignature
from josepy.jwk import JWK
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from providers.acme import answers
from providers.acme.answers import Directory
from providers.acme.errors import BadNonce, explain, refusal
from providers.acme.transport import Answer, Transport, told
from providers.calls import Calls
from providers.errors import Conflict, NotFound, ProviderError, Rejected, Unreachable

NONCES = 100
"""How often one request is sent with another nonce: at 90 % refusals, one in 40,000 needs more."""
_PAUSE = 0.1
"""Seconds at most between two of them."""
_JOSE = "application/jose+json"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signs: a key, and the address of its account, None where the key alone counts."""

    key: JWK = field(repr=False)
    algorithm: JWASignature
    account: str | None = None


class Network:
    """One CA. A request is repeated as its kind allows: to read always, to change where it did not happen.

    All that it names is asked for where its directory is, and nowhere else: whoever answers for a CA could
    otherwise have this host ask anybody that it can reach.
    """

    def __init__(
        self, server: str, transport: Transport, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.server = server
        self.transport = transport
        self.calls = Calls(explain, sleep=sleep)
        self._sleep = sleep
        self._nonce: bytes | None = None
        self._directory: Directory | None = None
        self._lost: ProviderError | None = None
        self._looking_up = Lock()

    @property
    def directory(self) -> Directory:
        """The CA's addresses, read once a run."""
        return self.look_up(self.calls)

    def look_up(self, calls: Calls, *, once: bool = False) -> Directory:
        """Return the CA's addresses; `calls` decide how long it is tried where they are not known yet.

        `once` tries no more where somebody has in vain: of many threads each would wait for its turn to.
        """
        with self._looking_up:
            if once and self._lost is not None:
                raise self._lost
            if self._directory is None:
                self._directory = self._found(calls)
            return self._directory

    def _found(self, calls: Calls) -> Directory:
        try:
            found = answers.read(Directory, self._first_answer(calls).body, "directory")
        except ProviderError as why:
            self._lost = why
            raise
        self._lost = None
        return found

    def _first_answer(self, calls: Calls) -> Answer:
        try:
            return self.get(self.server, calls)
        except (NotFound, Rejected) as why:
            raise type(why)(f"{why}; `server` is not the CA's directory") from None

    def get(self, url: str, calls: Calls) -> Answer:
        """Read what anybody may; raises what the CA's refusal means."""
        return calls.read(lambda: _accepted(self.transport.get(self.own(url))))

    def own(self, url: str) -> str:
        """Return an address of this CA; raises `Conflict` for one at another host or port."""
        if _place(url) != _place(self.server):
            raise Conflict(
                f"the CA names an address at another host, which is not asked: {told(url)}"
            )
        return url

    def read(self, url: str, signer: Signer, accept: str = "application/json") -> Answer:
        """Read what an account may (POST-as-GET, RFC 8555 section 6.3)."""
        return self.calls.read(lambda: self._post(url, b"", signer, accept))

    def change(self, url: str, payload: JSONDeSerializable | None, signer: Signer) -> Answer:
        """Change something; `Ambiguous` where it may have happened."""
        body = b"{}" if payload is None else payload.json_dumps().encode()
        return self.calls.change(lambda: self._post(url, body, signer))

    def settle(self, url: str, payload: JSONDeSerializable, signer: Signer) -> Answer:
        """Change what is the same when it is changed twice: repeated whatever became of it."""
        body = payload.json_dumps().encode()
        return self.calls.read(lambda: self._post(url, body, signer))

    def _post(
        self, url: str, payload: bytes, signer: Signer, accept: str = "application/json"
    ) -> Answer:
        attempts = Retrying(
            retry=retry_if_exception_type(BadNonce),
            wait=wait_random(0, _PAUSE),
            stop=stop_after_attempt(NONCES),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answer: Answer = attempts(self._post_once, url, payload, signer, accept)
        except BadNonce as why:  # as many once more would do no good
            raise Unreachable(f"{why}; {NONCES} nonces in a row were refused") from None
        return answer

    def _post_once(self, url: str, payload: bytes, signer: Signer, accept: str) -> Answer:
        signed = JWS.sign(
            payload, signer.key, signer.algorithm, self._next_nonce(), url, signer.account
        )
        headers = {"Content-Type": _JOSE, "Accept": accept}
        answer = self.transport.post(self.own(url), signed.json_dumps().encode(), headers)
        self._keep_nonce(answer)
        return _accepted(answer)

    def _next_nonce(self) -> bytes:
        if self._nonce is None:
            self._keep_nonce(_accepted(self.transport.head(self.own(self.directory.new_nonce))))
        nonce, self._nonce = self._nonce, None
        if nonce is None:
            raise Conflict("the CA gives no nonce (RFC 8555 section 7.2)")
        return nonce

    def _keep_nonce(self, answer: Answer) -> None:
        """Keep the newest: an answer that refuses a nonce brings a fresh one."""
        try:
            self._nonce = decode_b64jose(answer.headers["Replay-Nonce"])
        except (KeyError, ValueError, DeserializationError):
            self._nonce = None


def _place(url: str) -> tuple[str, str | None, int] | None:
    """Return the scheme, host and port of an address; None where somebody logs in, or it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        return None
    return None if "@" in parts.netloc else (parts.scheme, parts.hostname, port)


def _accepted(answer: Answer) -> Answer:
    if not answer.ok:
        raise refusal(answer)
    return answer
