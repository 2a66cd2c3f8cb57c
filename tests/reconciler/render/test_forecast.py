"""A forecast as text, Markdown, JSON and a picture."""

import json
from collections.abc import Callable
from datetime import date
from xml.etree import ElementTree as ET

import pytest
from paper_fleet import DAY, NOW, Sheet, company

from reconciler.forecast import Forecast, forecast
from reconciler.regimes import Regime, Step, steps_of
from reconciler.render.forecast import render_json
from reconciler.render.forecast_svg import render_svg
from reconciler.render.forecast_table import bar, render_markdown, render_text
from reconciler.render.svg import NAMESPACE
from schemas.policy import Baseline

BASELINE = steps_of(Baseline.CABF_TLS)
PUBLIC = Regime("as cabf-tls has it: 100d from 2027-03-15 and 47d from 2029-03-15", BASELINE)
EVERY_47 = Regime("if all had 47d", (Step(date.min, 47 * DAY),))
HOSTILE = "<script>alert(1)</script> ::error::\x1b[31m]]> & 'x' \u202e"


@pytest.fixture(scope="module")
def year() -> Forecast:
    paper = company()
    return forecast(paper.desired, paper.ledger, NOW, regimes=[EVERY_47])


@pytest.fixture(scope="module")
def years() -> Forecast:
    paper = company()
    return forecast(paper.desired, paper.ledger, NOW, weeks=188, regimes=[PUBLIC])


@pytest.fixture(scope="module")
def hostile() -> Forecast:
    paper = company(Sheet("a", "services", 1, 30, ("nginx",)), name=HOSTILE)
    return forecast(paper.desired, paper.ledger, NOW, regimes=[Regime(HOSTILE, BASELINE)])


def test_the_forms_are_as_they_were(
    year: Forecast, years: Forecast, golden: Callable[[str, str], None]
) -> None:
    golden("forecast/year.txt", render_text(year))
    golden("forecast/years.txt", render_text(years))
    golden("forecast/year.md", render_markdown(year))
    golden("forecast/years.md", render_markdown(years))
    golden("forecast/year.svg", render_svg(year))


def test_the_picture_of_the_documentation_is_what_the_program_draws(
    years: Forecast, golden: Callable[[str, str], None]
) -> None:
    golden("../../docs/pictures/forecast.svg", render_svg(years))


def test_the_json_says_every_week_of_every_series_by_issuer(year: Forecast) -> None:
    data = json.loads(render_json(year))
    assert len(data["weeks"]) == 52
    for told, series in zip(data["series"], year.series, strict=True):
        by_issuer = [sum(each) for each in zip(*told["issuers"].values(), strict=True)]
        assert told["numbers"] == by_issuer == list(series.weeks)


def test_pictures_are_well_formed_and_hold_nothing_that_runs_or_is_fetched(
    year: Forecast, years: Forecast, hostile: Forecast
) -> None:
    for ahead in (year, years, hostile):
        root = ET.fromstring(render_svg(ahead))
        kinds = {element.tag.removeprefix(f"{{{NAMESPACE}}}") for element in root.iter()}
        assert kinds <= {"svg", "title", "desc", "style", "rect", "polyline", "path", "text"}
        names = {name for element in root.iter() for name in element.attrib}
        assert not {name for name in names if name.startswith("on") or "href" in name}
        assert "url(" not in render_svg(ahead)
        assert "prefers-color-scheme:dark" in render_svg(ahead)
        title, desc = root[0], root[1]
        assert title.text
        assert "issuances" in (desc.text or "")


def test_hostile_names_are_told_and_obeyed_nowhere(hostile: Forecast) -> None:
    for text in (render_text(hostile), render_markdown(hostile), render_svg(hostile)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script" not in render_markdown(hostile)
    assert "<script" not in render_svg(hostile)
    assert not [line for line in render_text(hostile).splitlines() if line.startswith("::")]


def test_a_bar_is_solid_as_far_as_the_first_number_and_light_beyond() -> None:
    assert bar((5, 10), 10) == "█" * 16 + "░" * 16
    assert bar((10, 5), 10) == "█" * 32
    assert bar((0, 0), 10) == ""
    assert bar((1, 1), 1_000) == "█"
