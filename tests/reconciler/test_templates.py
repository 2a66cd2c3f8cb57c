"""What init writes is a repository that certform itself accepts."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.load.documents import read_documents
from reconciler.load.files import read_files
from reconciler.load.trees import WorkingTree
from reconciler.render.graph import render_graph
from reconciler.resolve.desired import Named, resolve
from reconciler.state import Desired
from reconciler.templates import Start, basic, mtls

RECIPIENT = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
START = Start("shop", RECIPIENT, f"ssh-ed25519 {'A' * 68}")
TEMPLATES: Mapping[str, Callable[[Start], Mapping[str, str]]] = {
    "basic": basic,
    "mtls": lambda start: mtls(start, ["orders", "payments"]),
}


def write(folder: Path, contents: Mapping[str, str]) -> None:
    for path, text in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def desired(folder: Path, contents: Mapping[str, str]) -> Desired:
    write(folder, contents)
    files = read_files(WorkingTree(folder))
    read = read_documents(files)
    resolved, diagnostics = resolve(read.documents, Named(), None, read.diagnostics)
    assert diagnostics == ()
    assert resolved is not None
    return resolved


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("project", ["shop", "n" * 63, "on", "7"])
def test_a_template_is_valid_without_a_single_finding(
    tmp_path: Path, name: str, project: str
) -> None:
    start = Start(project, RECIPIENT, START.public_key)
    found = desired(tmp_path, TEMPLATES[name](start))
    assert found.project == project
    assert found.ledger.public_key == START.public_key
    assert found.keyring[0].age == RECIPIENT


@pytest.mark.parametrize("name", TEMPLATES)
def test_every_yaml_file_names_its_schema_and_no_placeholder_is_left(name: str) -> None:
    for path, text in TEMPLATES[name](START).items():
        assert not re.search(r"<<|>>|NAME\b", text.replace("tls/NAME/", "")), path
        if path.endswith(".yaml"):
            assert text.startswith(
                "# yaml-language-server: $schema=https://certform.dev/schemas/v1.json\n"
            )


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_is_installed_here_is_kept_out_of_git(tmp_path: Path, name: str) -> None:
    contents = TEMPLATES[name](START)
    found = desired(tmp_path, contents)
    directory = found.targets["local"].spec.local_directory
    assert directory is not None
    assert f"/{directory.path.split('/')[0]}/" in contents[".gitignore"].splitlines()


def test_mutual_tls_gives_each_service_a_name_and_both_usages(tmp_path: Path) -> None:
    found = desired(tmp_path, mtls(START, ["orders", "payments", "orders"]))
    assert set(found.certificates) == {"orders", "payments"}
    request = found.certificates["orders"].request
    assert request.dns_names == ("orders.svc.internal",)
    assert request.uris == ("spiffe://svc.internal/orders",)
    assert {str(usage) for usage in request.usages} == {"server auth", "client auth"}
    constraints = found.authorities["services"].request.name_constraints
    assert constraints is not None
    assert constraints.permitted.dns_domains == ("svc.internal",)


def test_the_tree_of_authorities_reads_as_a_tree(tmp_path: Path) -> None:
    assert render_graph(desired(tmp_path, mtls(START, ["orders", "payments"]))) == (
        "shop\n"
        '└── authority/root ("shop root G1", ECDSA 384)\n'
        '    └── authority/services ("shop services G1", ECDSA 256)\n'
        "        ├── certificate/orders -> local\n"
        "        └── certificate/payments -> local\n"
    )


@pytest.mark.parametrize("services", [[], ["Orders"], ["a b"], ["a\nb: c"], ["../x"], [""]])
def test_names_that_no_document_may_have_are_refused(services: list[str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        mtls(START, services)


@pytest.mark.parametrize(
    "start",
    [
        ("Shop", RECIPIENT, START.public_key),
        ("shop", "age1x", START.public_key),
        ("shop", RECIPIENT, "ssh-rsa AAAA"),
    ],
)
def test_a_start_that_would_not_be_a_project_is_refused(start: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Start(*start)
