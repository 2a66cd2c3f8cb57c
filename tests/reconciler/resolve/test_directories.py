"""Two claims to one directory are found by validate, and told with both names."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.repository import Examination

TARGET = "kind: Target\nmetadata: {{name: {name}}}\nspec:\n  local-directory: {settings}\n"
Examine = Callable[[Mapping[str, str]], Examination]


def second(settings: str) -> dict[str, str]:
    """Return a Target beside the one called `disk`, whose path is `tls`."""
    return {"config/second.yaml": TARGET.format(name="second", settings=settings)}


def third(settings: str) -> dict[str, str]:
    return {"config/third.yaml": TARGET.format(name="third", settings=settings)}


def about(found: Examination) -> list[str]:
    return [each.summary for each in found.diagnostics if "directory" in each.summary]


@pytest.mark.parametrize("path", ["tls", "./tls", "tls/", "tls/.", ".//tls"])
def test_two_targets_of_one_directory_are_told_with_both_names(
    examined: Examine, path: str
) -> None:
    found = examined(second(f"{{path: {path}}}"))
    assert about(found) == [f"Target second has the directory {path} of Target disk"]
    (finding,) = found.diagnostics
    assert str(finding.source) == "config/second.yaml:4"
    assert "config/all.yaml" in finding.hint
    assert found.desired is None


@pytest.mark.parametrize("path", ["tls/web", ".//tls/a/b"])
def test_a_directory_within_that_of_another_is_told(examined: Examine, path: str) -> None:
    told = f"Target second has the directory {path}, which lies in tls of Target disk"
    assert about(examined(second(f"{{path: {path}}}"))) == [told]


def test_a_directory_around_that_of_another_is_told_at_the_inner_one(examined: Examine) -> None:
    (inner,) = examined(second("{path: srv/tls}") | third("{path: srv}")).diagnostics
    assert str(inner.source) == "config/second.yaml:4"
    assert "of Target third" in inner.summary


@pytest.mark.parametrize("path", ["tls", "/tls", "//tls/web"])
def test_an_absolute_path_into_the_repository_is_known(
    examined: Examine, tmp_path: Path, path: str
) -> None:
    absolute = f"{tmp_path}{path if path.startswith('/') else '/' + path}"
    (told,) = about(examined(second(f"{{path: {absolute}}}")))
    assert "tls of Target disk" in told


@pytest.mark.parametrize("path", ["/tls", "tlsx", "TLS"])
def test_another_directory_is_another(examined: Examine, path: str) -> None:
    assert about(examined(second(f"{{path: {path}}}"))) == []


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("a", "b", False),
        ("a", "A", True),
        ("a", "a.example.com", True),
        ("a.example.com", "a", True),
        ("a.example.com", "a.example.org", False),
        ("a.example.com", "a.example.com.", True),
    ],
)
def test_two_hosts_may_have_the_same_path(
    examined: Examine, one: str, other: str, meet: bool
) -> None:
    first = TARGET.format(name="first", settings=f"{{path: /srv/tls, hosts: [{one}]}}")
    found = examined(
        {**second(f"{{path: /srv/tls, hosts: [{other}]}}"), "config/first.yaml": first}
    )
    assert bool(about(found)) is meet


def test_a_target_where_the_project_publishes_is_told(
    examined: Examine, write: Callable[[Mapping[str, str]], Path]
) -> None:
    project = (write({}) / "certform.yaml").read_text()
    publish = '  publish: {to: {directory: tls}, baseURL: "http://pki.example.com"}\n'
    found = examined({"certform.yaml": project + publish})
    assert about(found) == ["Target disk has the directory tls of what the Project publishes"]
