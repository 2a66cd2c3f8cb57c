"""README tells the truth: its commands run, its plan is what certform prints, its links lead somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import transcript

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
CERTFORM = Path(sys.executable).parent / "certform"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], str]:
    """Run README's one minute; return the folder it made and what was printed."""
    home = tmp_path_factory.mktemp("home")
    script = next(block for block in blocks("sh") if "certform init" in block)
    script = script.replace("certform apply\n", "certform apply --auto-approve\n")
    environment = {
        "PATH": f"{CERTFORM.parent}:{os.environ['PATH']}",
        "HOME": str(home),
        "NO_COLOR": "1",
    }
    done = subprocess.run(
        ["sh", "-euc", script],
        cwd=home,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return home / "pki", environment, done.stdout


def test_the_first_minute_ends_without_changes(pki: tuple[Path, dict[str, str], str]) -> None:
    _, _, output = pki
    assert output.rstrip().splitlines()[-2].startswith("No changes. 2 certificates")


def test_the_plan_shown_is_the_plan_printed(pki: tuple[Path, dict[str, str], str]) -> None:
    directory, environment, _ = pki
    document = directory / "services" / "orders.yaml"
    edited = document.read_text().replace(
        "dnsNames: [orders.svc.internal]", "dnsNames: [orders.svc.internal, orders-v2.svc.internal]"
    )
    assert edited != document.read_text()
    document.write_text(edited)
    done = subprocess.run(
        [CERTFORM, "plan"],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    shown = blocks("console")[0].partition("\n")[2]
    assert skeleton(done.stdout).startswith(skeleton(shown))


def test_its_worst_day_ends_as_shown(pki: tuple[Path, dict[str, str], str]) -> None:
    directory, environment, _ = pki
    document = directory / "revocations" / "stolen.yaml"
    document.parent.mkdir()
    document.write_text(next(block for block in blocks("yaml") if "kind: Revocation" in block))
    (step,) = transcript.steps(README[README.index("## On its worst day") :])
    ((_, printed),) = transcript.run([step], "", directory, environment)
    assert transcript.is_shown(f"{step.shown}...", printed), printed


def skeleton(text: str) -> str:
    """The text without what differs between runs: times, serials, days."""
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]?[\d:]*Z?( UTC)?", "DATE", text)
    text = re.sub(r"\b[0-9a-f]{40}\b", "SERIAL", text)
    return re.sub(r"in \d+ days", "in N days", text).strip()


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README)
    assert links
    for target in links:
        assert (ROOT / target).exists(), target


def test_make_targets_it_names_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets
    for target in targets:
        assert f"\n{target}:" in makefile
