"""What is asked of documents and ledger alone: what lies ahead, and what falls with what."""

import json
import shutil
from xml.etree import ElementTree as ET

import pytest
from command_line import Repository


def test_a_forecast_asks_no_target_and_nobody_when_offline(applied: Repository) -> None:
    shutil.rmtree(applied.root / "out")
    told = applied.run("forecast").stdout
    assert "2 certificates, 52 weeks from " in told
    assert "services" in told
    assert applied.run("forecast", "--offline").stdout == told


def test_a_forecast_compares_with_shorter_lives_in_every_form(applied: Repository) -> None:
    limits = ("--what-if", "6d", "--what-if", "cabf-tls", "--weeks", "20")
    data = json.loads(applied.run("forecast", *limits, "--format", "json").stdout)
    written, short, public = data["series"]
    assert short["label"] == "if all had 6d"
    assert public["label"].startswith("if all were bound by cabf-tls: ")
    assert short["total"] > 3 * written["total"]
    assert applied.run("forecast", *limits, "--format", "markdown").stdout.startswith("### ")
    told = applied.run("forecast", *limits, "--format", "svg", "-o", applied.root / "f.svg")
    assert told.stdout == ""
    assert ET.parse(applied.root / "f.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--weeks", "4", "--until", "2099-01-01"), "write one of them"),
        (("--until", "2020-01-01"), "must be a day to come"),
        (("--what-if", "soon"), "'soon' is no lifetime"),
        (("--what-if", "47d@2029-02-30"), "is no lifetime"),
    ],
)
def test_a_forecast_is_refused_for(
    applied: Repository, arguments: tuple[str, ...], why: str
) -> None:
    assert why in applied.run("forecast", *arguments, code=1).stderr


def test_the_graph_tells_what_falls_in_every_form(applied: Repository) -> None:
    shutil.rmtree(applied.root / "out")
    told = applied.run("graph", "--impact", "authority/services").stdout
    assert told.startswith("What falls with authority/services\n\n  2 certificates in 1 place;")
    assert "certificate/orders, until " in told
    assert "-> local" in told
    one = ("graph", "--impact", "authority/services", "--generation", "1")
    assert applied.run(*one, "--format", "mermaid").stdout.startswith("flowchart LR\n")
    data = json.loads(applied.run(*one, "--format", "json", "--offline").stdout)
    assert (data["generation"], data["places"]) == (1, {"local": 2})
    applied.run(*one, "--format", "svg", "--out", applied.root / "i.svg")
    assert ET.parse(applied.root / "i.svg").getroot().tag.endswith("svg")


def test_the_graph_of_everything_has_every_form(applied: Repository) -> None:
    assert "certificate/orders -> local" in applied.run("graph").stdout
    assert "authority/services" in applied.run("graph", "--format", "mermaid").stdout
    data = json.loads(applied.run("graph", "--format", "json").stdout)
    assert data["subject"] is None
    assert len(data["certificates"]) == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--impact", "authority/servces"), "did you mean authority/services?"),
        (("--impact", "crl/root"), "there is no crl/root"),
        (("--impact", "authority/services", "--generation", "9"), "in use: 1"),
        (("--impact", "target/local", "--generation", "1"), "--generation is of an authority"),
        (("--generation", "1"), "--generation is of an authority"),
    ],
)
def test_the_graph_is_refused_for(
    applied: Repository, arguments: tuple[str, ...], why: str
) -> None:
    assert why in applied.run("graph", *arguments, code=1).stderr
