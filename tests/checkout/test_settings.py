"""The tables of settings in the documentation are those of the models; --update-golden writes them."""

import re
from pathlib import Path

import pytest

from schemas.base import Model
from schemas.clouds import AwsAcm, AzureKeyVault, GcpCertificateManager
from schemas.issuer import AwsPrivateCa
from schemas.settings import settings_table
from schemas.target import TargetSpec
from schemas.vault import Vault

DOCS = Path(__file__).parents[2] / "docs"
TABLES: dict[str, tuple[str, type[Model]]] = {
    "aws-acm.md": ("aws-acm", AwsAcm),
    "azure-key-vault.md": ("azure-key-vault", AzureKeyVault),
    "gcp-certificate-manager.md": ("gcp-certificate-manager", GcpCertificateManager),
    "issuers.md": ("aws-private-ca", AwsPrivateCa),
    "vault.md": ("vault", Vault),
}
ISSUERS = ("issuers.md", "vault.md")
TABLE = re.compile(r"\| field \| says \| default \|\n(\|.*\n)+")


@pytest.mark.parametrize("page", TABLES)
def test_settings_are_documented_as_they_are(page: str, request: pytest.FixtureRequest) -> None:
    name, model = TABLES[page]
    beside = {} if page in ISSUERS else {"tags": TargetSpec.model_fields["tags"]}
    wanted = settings_table(name, model, **beside) + "\n"
    path = DOCS / page
    text = path.read_text()
    if request.config.getoption("--update-golden"):
        text = TABLE.sub(lambda _: wanted, text, count=1)
        path.write_text(text)
    found = TABLE.search(text)
    assert found is not None
    assert found[0] == wanted, "pytest --update-golden"


def test_every_setting_says_what_it_is() -> None:
    for name, model in TABLES.values():
        rows = settings_table(name, model).splitlines()[2:]
        assert rows
        assert all(re.fullmatch(r"\| `[\w.-]+` \| .{5,} \|.* \|", row) for row in rows), rows
