"""Where a record goes when CNAMEs delegate it, asked of a real name server."""

from collections.abc import Iterator

import pytest
from knot import Knot, knot_running
from wire import free_port

from providers.errors import Conflict, Unreachable
from providers.solver_conformance import proof
from providers.solvers.delegation import LONGEST, challenge_name, followed, record_for
from providers.solvers.lookups import Lookups
from providers.solvers.rfc2136 import Rfc2136Solver
from providers.solving import TxtRecord
from schemas.solvers import Dns01

EXAMPLE = """\
_acme-challenge.www CNAME www-example.acme.example.net.
_acme-challenge.far CNAME hop.example.com.
hop CNAME Far.ACME.example.net.
_acme-challenge.outside CNAME of.nobody.example.org.
_acme-challenge.circle CNAME other.example.com.
other CNAME _acme-challenge.circle.example.com.
"""


@pytest.fixture(scope="module")
def knot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Knot]:
    zones = {"example.com": EXAMPLE, "acme.example.net": ""}
    with knot_running(tmp_path_factory.mktemp("knot"), zones) as running:
        yield running


def dns01(knot: Knot, strategy: str) -> Dns01:
    return Dns01.model_validate(
        {
            "cnameStrategy": strategy,
            "propagation": {"nameservers": (knot.nameserver,)},
            "rfc2136": knot.settings(),
        }
    )


@pytest.mark.parametrize(
    ("name", "strategy", "where"),
    [
        ("www.example.com", "None", "_acme-challenge.www.example.com"),
        ("*.www.example.com", "None", "_acme-challenge.www.example.com"),
        ("www.example.com", "Follow", "www-example.acme.example.net"),
        ("*.www.example.com", "Follow", "www-example.acme.example.net"),
        ("far.example.com", "Follow", "far.acme.example.net"),
        ("plain.example.com", "Follow", "_acme-challenge.plain.example.com"),
        ("example.com", "Follow", "_acme-challenge.example.com"),
    ],
)
def test_a_record_goes(knot: Knot, name: str, strategy: str, where: str) -> None:
    assert record_for(name, "value", dns01(knot, strategy)) == TxtRecord(where, "value")


def test_a_delegated_name_is_proved_in_the_other_zone_alone(knot: Knot) -> None:
    record = record_for("www.example.com", proof("one"), dns01(knot, "Follow"))
    solver = Rfc2136Solver.from_config(knot.config())
    solver.present(record)
    assert knot.values("www-example.acme.example.net") == {record.value}
    assert knot.values(challenge_name("www.example.com")) == frozenset()
    solver.clean_up(record)


def test_a_circle_is_told(knot: Knot) -> None:
    with pytest.raises(Conflict, match=r"go in a circle: _acme-challenge\.circle.* -> other"):
        record_for("circle.example.com", "value", dns01(knot, "Follow"))


def test_a_chain_without_an_end_is_given_up() -> None:
    asked = []

    def cname(name: str) -> str:
        asked.append(name)
        return f"x{name}"

    with pytest.raises(Conflict, match=f"more than {LONGEST} CNAMEs"):
        followed("example.com", cname)
    assert len(asked) == LONGEST + 1


def test_what_nobody_answers_for_is_told_and_not_taken_for_the_end(knot: Knot) -> None:
    with pytest.raises(Unreachable, match=r"did not answer for the CNAME of of\.nobody"):
        record_for("outside.example.com", "value", dns01(knot, "Follow"))


def test_name_servers_that_are_not_there_are_told() -> None:
    with pytest.raises(Unreachable, match="did not answer"):
        Lookups((Knot(free_port()).nameserver,), timeout=0.1).cname("www.example.com")
