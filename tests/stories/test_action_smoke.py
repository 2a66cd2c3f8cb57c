"""Another runner than that of these tests, act, runs the action from a workflow: here, without Docker.

act is less strict than GitHub's runner (it hands INPUT_* to composite actions, and caps nothing), so
this finds out only what a runner of our own might have taken for granted.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from action_rig import ROOT, programs

ACT = Path(sys.executable).parent / "act"
KEY = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef"
PROJECT = (
    "apiVersion: certform.dev/v1\nkind: Project\nmetadata: {name: here}\n"
    f"spec:\n  keyring: [{{age: {KEY}}}]\n"
)
WORKFLOW = """\
on: push
jobs:
  validate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: certform
        uses: certform/certform@v1
        with:
          command: validate
          install: none
      - if: always()
        env:
          CODE: ${{ steps.certform.outputs.exit-code }}
        run: echo "the exit code is $CODE"
"""
BAD = "kind: Certificate\nmetadata: {name: web}\nspec: {issuerRef: nobody, dnsNames: [web.example.com]}\n"


def acted(folder: Path, documents: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    """Return how a push of documents went."""
    action, repository = folder / "action", folder / "repository"
    for name in ("action.yml", "action", "schemas", "providers", "reconciler"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        action.mkdir(exist_ok=True)
        copy(ROOT / name, action / name)
    for path, text in {**documents, ".github/workflows/validate.yaml": WORKFLOW}.items():
        (repository / path).parent.mkdir(parents=True, exist_ok=True)
        (repository / path).write_text(text)
    env = {"PATH": programs(folder / "bin"), "HOME": str(folder), "GIT_CONFIG_GLOBAL": os.devnull}
    author = ("-c", "user.name=mona", "-c", "user.email=mona@example.com")
    for argv in (("init", "-q", "-b", "main"), ("add", "-A"), (*author, "commit", "-qm", "x")):
        subprocess.run(["git", *argv], cwd=repository, env=env, check=True)
    where = ("-P", "ubuntu-latest=-self-hosted", "--no-cache-server")
    local = ("--local-repository", f"certform/certform@v1={action}")
    told = ("--env", "GITHUB_API_URL=http://127.0.0.1:9", "-s", "GITHUB_TOKEN=an-emulated-token")
    return subprocess.run(
        [ACT, "push", *where, *local, *told],
        cwd=repository,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize(("documents", "code"), [
    ({"certform.yaml": PROJECT}, 0),
    ({"certform.yaml": PROJECT, "web.yaml": BAD}, 1),
])  # fmt: skip
def test_act_runs_the_action(tmp_path: Path, documents: dict[str, str], code: int) -> None:
    done = acted(tmp_path, documents)
    assert done.returncode == code, done.stdout + done.stderr
    assert f"the exit code is {code}" in done.stdout
    assert ("### Certificates: the documents are valid" in done.stdout) is (code == 0)
    assert ("file=web.yaml,line=3" in done.stdout or "web.yaml:3" in done.stdout) is (code == 1)
