"""What a Target may name: programs that no proposed change brings, and places a socket can reach."""

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.target import Argv, HostPort, TargetSpec, Verify

ARGV = TypeAdapter[tuple[str, ...]](Argv)
HOST_PORT = TypeAdapter[str](HostPort)


@pytest.mark.parametrize("program", ["nginx", "/usr/sbin/nginx", "systemctl", "[", "/x/./y"])
def test_a_bare_name_or_an_absolute_path_is_a_program(program: str) -> None:
    assert ARGV.validate_python((program, "-t")) == (program, "-t")


@pytest.mark.parametrize("program", ["./reload", "bin/reload", "../reload", "~/reload", "a/"])
def test_a_program_of_the_repository_is_refused_with_the_reason(program: str) -> None:
    with pytest.raises(ValidationError, match=r"found on PATH, or an absolute path: .* replace it"):
        ARGV.validate_python((program, "-t"))


def test_an_argument_may_be_any_path() -> None:
    assert ARGV.validate_python(("cat", "./a/b")) == ("cat", "./a/b")


@pytest.mark.parametrize(
    "place",
    [
        "127.0.0.1:443",
        "[::1]:8443",
        "[::ffff:127.0.0.1]:1",
        "localhost:65535",
        "web_1.example.com:443",
        "xn--bcher-kva.example:443",
        "1password.example:443",
    ],
)
def test_a_host_and_a_port(place: str) -> None:
    assert HOST_PORT.validate_python(place) == place


@pytest.mark.parametrize(
    "place",
    [
        "a..b:443",
        ".a:443",
        "a.:443",
        "-a:443",
        "a-:443",
        "a:0",
        "a:65536",
        "a:99999",
        "999.1.1.1:443",
        "1.2.3:443",
        "[:::]:443",
        "[1.2.3.4]:443",
        "::1:443",
        "a:",
        ":443",
        "a b:443",
        "a:443\n",
        f"{'a' * 64}:443",
        f"{'.'.join(['a' * 60] * 5)}:443",
    ],
)
def test_what_no_socket_could_reach_is_refused(place: str) -> None:
    with pytest.raises(ValidationError, match="must be a host and a port from 1 to 65535"):
        HOST_PORT.validate_python(place)


def test_patience_is_shorter_than_the_life_of_a_lock() -> None:
    data = {"connect": "localhost:443"}
    assert Verify.model_validate({**data, "timeout": "2m"}).timeout is not None
    with pytest.raises(ValidationError, match="must be 2m or less"):
        Verify.model_validate({**data, "timeout": "121s"})


ACCOUNT = "arn:aws:iam::111122223333"


def acm(**settings: object) -> TargetSpec:
    return TargetSpec.model_validate({"aws-acm": {"regions": ("eu-west-1",), **settings}})


def test_who_only_reads_is_whoever_the_target_names_for_that() -> None:
    spec = acm(role=f"{ACCOUNT}:role/writer", readRole=f"{ACCOUNT}:role/reader")
    assert spec.aws_acm is not None
    assert spec.aws_acm.role == f"{ACCOUNT}:role/writer"
    assert spec.to_read() == acm(role=f"{ACCOUNT}:role/reader", readRole=f"{ACCOUNT}:role/reader")
    assert spec.to_read().whereabouts == spec.whereabouts


def test_without_one_it_is_the_same_who_reads_and_writes() -> None:
    for spec in (acm(role=f"{ACCOUNT}:role/writer"), acm()):
        assert spec.to_read() == spec


@pytest.mark.parametrize("role", [None, "arn:aws:iam::444455556666:role/writer"])
def test_who_reads_is_of_the_account_that_is_written_to(role: str | None) -> None:
    with pytest.raises(ValidationError, match=r"readRole.*the account that `role` is of"):
        acm(role=role, readRole=f"{ACCOUNT}:role/reader")
