"""Saved plans: what comes back is what went out, and nothing else comes back."""

import json
from pathlib import Path

import pytest
from fleet import Fleet
from fleet_documents import Leaf

from reconciler import planfile
from reconciler.errors import InvalidInput, Refused
from schemas.plan import Plan


@pytest.fixture
def saved(tmp_path: Path) -> tuple[Plan, Path]:
    plan = Fleet(leaves={"web": Leaf()}).plan()
    path = tmp_path / "plan.json"
    planfile.save(plan, path)
    return plan, path


def test_a_plan_comes_back_as_it_went_out(saved: tuple[Plan, Path]) -> None:
    plan, path = saved
    assert planfile.load(path) == plan
    assert [each.name for each in path.parent.iterdir()] == ["plan.json"]


def test_a_change_taken_out_put_in_or_altered_is_noticed(saved: tuple[Plan, Path]) -> None:
    _, path = saved
    data = json.loads(path.read_text())
    first, second, *_ = data["changes"]
    for changes in (data["changes"][1:], [first, *data["changes"]], [second, first], []):
        path.write_text(json.dumps({**data, "changes": changes}))
        with pytest.raises(Refused, match="was altered"):
            planfile.load(path)
    first["fingerprint"] = "0" * 32
    path.write_text(json.dumps(data))
    with pytest.raises(Refused, match="was altered"):
        planfile.load(path)


def test_a_change_named_twice_is_refused(saved: tuple[Plan, Path]) -> None:
    plan, path = saved
    first, second, *rest = plan.changes
    double = second.model_copy(update={"address": first.address, "action": first.action})
    planfile.save(plan.model_copy(update={"changes": (first, double, *rest)}), path)
    with pytest.raises(Refused, match="was altered"):
        planfile.load(path)


GARBAGE = {
    "nothing": (b"", "is not JSON"),
    "no text": (b"\xff\xfe\x00", "is not JSON"),
    "no JSON": (b"{", "is not JSON"),
    "a list": (b"[]", "not a plan of a format known here"),
    "a number": (b"1", "not a plan of a format known here"),
    "another format": (b'{"format_version": "2.0"}', "not a plan of a format known here"),
    "a version that is a number": (b'{"format_version": 1}', "not a plan of a format known here"),
    "no plan": (b'{"format_version": "1.0"}', r"not a certform plan \(at certform_version\)"),
    "nested lists": (b"[" * 200_000, "is not JSON"),
    "nested objects": (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "is not JSON"),
}


@pytest.mark.parametrize("row", GARBAGE.values(), ids=GARBAGE)
def test_what_is_no_plan_is_told_and_never_a_traceback(
    tmp_path: Path, row: tuple[bytes, str]
) -> None:
    content, words = row
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=words):
        planfile.load(path)


def test_deep_nesting_within_a_plan_is_told(saved: tuple[Plan, Path]) -> None:
    _, path = saved
    data = path.read_text()
    deep = "[" * 50_000 + "]" * 50_000
    path.write_text(
        data.replace('"before"', '"x"').replace('"message"', f'"y":{deep},"message"', 1)
    )
    with pytest.raises(InvalidInput):
        planfile.load(path)


def test_a_minor_version_may_say_more(saved: tuple[Plan, Path]) -> None:
    plan, path = saved
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "format_version": "1.7"}))
    assert planfile.load(path).changes == plan.changes


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        planfile.load(tmp_path / "plan.json")


def test_a_failed_save_leaves_the_former_plan_and_nothing_else(saved: tuple[Plan, Path]) -> None:
    plan, path = saved
    before = path.read_bytes()
    with pytest.raises(FileNotFoundError):
        planfile.save(plan, path.parent / "missing" / "plan.json")
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == ["plan.json"]
