"""Long-running operations (AIP-151): done at once, after some polls, never, or with an error."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from certificate_manager_errors import RPC, Refusal, missing
from google.cloud import certificate_manager_v1 as api
from google.longrunning import operations_pb2
from google.protobuf import empty_pb2, json_format
from wire import Response


@dataclass(slots=True)
class Running:
    """One operation; `polls` says how often it is still asked for before it ends, None for ever."""

    name: str
    target: str
    verb: str
    polls: int | None
    apply: Callable[[], Any]
    error: Refusal | None = None
    result: Any = None
    done: bool = False

    def advance(self) -> None:
        """End it once it was asked for often enough: only then does its change appear."""
        if self.done or self.polls is None:
            return
        if self.polls > 0:
            self.polls -= 1
            return
        self.done = True
        if self.error is None:
            self.result = self.apply()

    def answer(self) -> Response:
        message = operations_pb2.Operation(name=self.name, done=self.done)
        metadata = api.OperationMetadata(target=self.target, verb=self.verb, api_version="v1")
        message.metadata.Pack(api.OperationMetadata.pb(metadata))
        if self.done and self.error is not None:
            message.error.code = RPC[self.error.status]
            message.error.message = self.error.message
        elif self.done:
            message.response.Pack(self.result or empty_pb2.Empty())
        text = json_format.MessageToJson(message, use_integers_for_enums=True)
        return Response(200, text.encode(), {"Content-Type": "application/json"})


@dataclass(slots=True)
class Operations:
    """`polls` is for those to come; `fail` lets the next one of a method end in an error."""

    polls: int | None = 0
    known: dict[str, Running] = field(default_factory=dict)
    _failures: dict[str, Refusal] = field(default_factory=dict)

    def fail(self, operation: str, error: Refusal) -> None:
        self._failures[operation] = error

    def start(self, operation: str, verb: str, target: str, apply: Callable[[], Any]) -> Response:
        location = "/".join(target.split("/")[:4])
        name = f"{location}/operations/operation-{len(self.known) + 1}"
        error = self._failures.pop(operation, None)
        running = Running(name, target, verb.lower(), self.polls, apply, error)
        self.known[name] = running
        running.advance()
        return running.answer()

    def poll(self, name: str) -> Response:
        if name not in self.known:
            raise missing(name)
        self.known[name].advance()
        return self.known[name].answer()

    def under_way(self, target: str) -> bool:
        return any(each.target == target and not each.done for each in self.known.values())

    def finish(self) -> None:
        """Let all that is under way end now."""
        for running in self.known.values():
            running.polls = 0
            running.advance()

    def listed(self) -> Response:
        names = [{"name": name} for name in self.known]
        return Response(200, json.dumps({"operations": names}).encode())
