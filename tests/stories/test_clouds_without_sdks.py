"""A machine that has not every cloud's SDK: what needs one says which, and nothing else needs any."""

from pathlib import Path

import pytest
from company import Company

FORBID = """\
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name in {names} or name.startswith(tuple(f"{{each}}." for each in {names})):
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
        return None

sys.meta_path.insert(0, Missing())
"""
SDKS = {
    "aws": ("boto3", "botocore"),
    "azure": ("azure",),
    "gcp": ("google.cloud", "google.auth", "google.api_core", "grpc"),
}
PLACES = {"aws": "acm/eu-west-1", "azure": "vault", "gcp": "google/global"}


def without(folder: Path, *names: str) -> str:
    """Return the PYTHONPATH of a Python that cannot import some packages."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(FORBID.format(names=names))
    return str(folder)


@pytest.mark.parametrize("extra", ["aws", "azure", "gcp"])
def test_a_missing_sdk_is_named_with_the_command_that_installs_it(
    company: Company, tmp_path: Path, extra: str
) -> None:
    company.settle()
    missing = without(tmp_path / "without", *SDKS[extra])
    planned = company.repository.run("plan", PYTHONPATH=missing).stdout
    assert f"target/{PLACES[extra]} is BLOCKED" in planned
    assert f"needs: pip install 'certform[{extra}]'" in planned
    assert planned.count("COULD NOT CHECK") == 1, "the other clouds are looked at"


def test_a_repository_without_clouds_needs_no_sdk(company: Company, tmp_path: Path) -> None:
    for name in ("acm", "vault", "google"):
        (company.repository.root / "config" / f"{name}.yaml").unlink()
    company.repository.edit("www.yaml", "[acm, vault, google, edge]", "[edge]")
    missing = without(tmp_path / "without", *(name for names in SDKS.values() for name in names))
    company.repository.run("apply", "--auto-approve", PYTHONPATH=missing)
    assert "No changes." in company.repository.run("plan", PYTHONPATH=missing).stdout


def test_documents_are_validated_without_any_sdk(company: Company, tmp_path: Path) -> None:
    missing = without(tmp_path / "without", *(name for names in SDKS.values() for name in names))
    assert "Valid" in company.repository.run("validate", PYTHONPATH=missing).stdout
