"""What falls, as text, Mermaid, JSON and a picture; the graph of everything is drawn the same way."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from paper_fleet import NOW, Sheet, company

from reconciler.impact import Impact, impact
from reconciler.render.graph_chart import MOST_CAS, MOST_PLACES, chart
from reconciler.render.graph_mermaid import escaped, render_mermaid
from reconciler.render.graph_svg import render_svg
from reconciler.render.impact import render_json, render_text
from reconciler.render.svg import NAMESPACE

HOSTILE = 'end"]; click n0 "javascript:x" </pre><script>x</script>\n```\n%%{init}%% \x1b[31m\u202e::error::'
SUBJECTS = {
    "services": "authority/services",
    "acm": "target/acm",
    "partner": "issuer/partner",
    "all": "",
}


def told(address: str, *sheets: Sheet) -> Impact:
    paper = company(*sheets)
    found = impact(paper.desired, paper.ledger, address, NOW, elsewhere=frozenset({"edge"}))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def hostile() -> Impact:
    fallen = told("authority/root", Sheet("a", "services", 3, 90, ("nginx",)))
    places = tuple(replace(each, name=HOSTILE, places=(HOSTILE,)) for each in fallen.certificates)
    bundles = tuple(replace(each, name=HOSTILE) for each in fallen.bundles)
    cas = tuple(replace(each, common_name=HOSTILE) for each in fallen.authorities)
    return replace(fallen, certificates=places, bundles=bundles, authorities=cas, project=HOSTILE)


@pytest.mark.parametrize("name", SUBJECTS)
def test_the_forms_are_as_they_were(name: str, golden: Callable[[str, str], None]) -> None:
    fallen = told(SUBJECTS[name])
    golden(f"impact/{name}.txt", render_text(fallen))
    golden(f"impact/{name}.mmd", render_mermaid(fallen))
    golden(f"impact/{name}.svg", render_svg(fallen))


def test_the_picture_of_the_documentation_is_what_the_program_draws(
    golden: Callable[[str, str], None],
) -> None:
    golden("../../docs/pictures/impact.svg", render_svg(told("authority/root")))


def test_the_json_folds_nothing() -> None:
    data = json.loads(render_json(told("authority/services")))
    assert len(data["certificates"]) == 730
    assert data["stuck"] == 730
    assert data["places"] == {"nginx": 420, "edge": 310}
    assert {why["why"] for each in data["certificates"] for why in each["impediments"]} == {
        "ceremony",
        "elsewhere",
    }


def test_long_lists_are_folded_and_counted() -> None:
    text = render_text(told("authority/services", Sheet("a", "services", 10_000, 47, ("nginx",))))
    assert "and 9,990 more, the first ends" in text
    assert text.count("certificate/") == 10


def test_a_chart_has_never_more_boxes_than_a_reader_takes_in() -> None:
    fallen = told("")
    cas = tuple(replace(fallen.authorities[0], line=(f"ca{n}", 1)) for n in range(300))
    many = replace(
        fallen,
        authorities=cas,
        certificates=tuple(
            replace(each, line=cas[n % 300].line, places=(f"place-{n % 77}", f"other-{n % 5}"))
            for n, each in enumerate(fallen.certificates)
        ),
    )
    drawn = chart(many)
    assert len(drawn.boxes) <= MOST_CAS * 6 + 2 * MOST_PLACES
    assert "276 CAs" in drawn.left_out
    counted = [box.lines[0] for box in drawn.boxes if "more place" in box.lines[0]]
    assert counted == [f"{77 + 5 - MOST_PLACES} more places"]


def test_every_arrow_leads_from_a_box_to_a_later_one() -> None:
    for subject in SUBJECTS.values():
        drawn = chart(told(subject))
        assert all(arrow.start < arrow.end < len(drawn.boxes) for arrow in drawn.arrows)


def test_boxes_of_a_picture_never_lie_on_one_another() -> None:
    for subject in SUBJECTS.values():
        root = ET.fromstring(render_svg(told(subject)))
        frames = [
            tuple(float(rect.attrib[side]) for side in ("x", "y", "width", "height"))
            for rect in root.iter(f"{{{NAMESPACE}}}rect")
            if "fill-box" in rect.attrib["class"]
        ]
        for n, (x, y, width, height) in enumerate(frames):
            for left, top, wide, high in frames[n + 1 :]:
                beside = x + width <= left or left + wide <= x
                assert beside or y + height <= top or top + high <= y


def test_pictures_are_well_formed_and_hold_nothing_that_runs_or_is_fetched(hostile: Impact) -> None:
    for fallen in (hostile, *(told(subject) for subject in SUBJECTS.values())):
        root = ET.fromstring(render_svg(fallen))
        kinds = {element.tag.removeprefix(f"{{{NAMESPACE}}}") for element in root.iter()}
        assert kinds <= {"svg", "title", "desc", "style", "rect", "polyline", "path", "text"}
        assert not {n for e in root.iter() for n in e.attrib if n.startswith("on") or "href" in n}


def test_no_name_breaks_out_of_a_mermaid_label(hostile: Impact) -> None:
    line = re.compile(
        r'  n\d+(\["|\(\["|\[/"|\{\{")([\w .,:/\-()#;]|<br/>)*("\]|"\]\)|"/\]|"\}\})'
        r"|  n\d+ (-->|-\.->) n\d+|  classDef grave [\w:#,-]+|  class [\w,]+ grave|flowchart LR"
    )
    drawn = render_mermaid(hostile)
    assert "#34;" in drawn
    assert [each for each in drawn.splitlines() if not line.fullmatch(each)] == []


def test_a_label_keeps_letters_of_every_language() -> None:
    assert escaped("Zürich (CA) 東京") == "Zürich (CA) 東京"
    assert escaped("a#b;c`d") == "a#35;b#59;c#96;d"


def test_hostile_names_are_told_and_obeyed_nowhere(hostile: Impact) -> None:
    for text in (render_text(hostile), render_mermaid(hostile), render_svg(hostile)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert "<script" not in render_svg(hostile)
    assert "```" not in render_mermaid(hostile)
