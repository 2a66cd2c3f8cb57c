"""CAs of every kind of key, and the programs that judge what they sign."""

from collections.abc import Callable

import pytest
from mint import Authority, Court, Mint


@pytest.fixture(scope="session")
def mint() -> Mint:
    return Mint()


@pytest.fixture(scope="session")
def hold_court(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Callable[[Authority, tuple[bytes, ...]], Court]:
    require("openssl")
    require("certtool")

    def hold(issuer: Authority, crls: tuple[bytes, ...]) -> Court:
        return Court(tmp_path_factory.mktemp("court"), issuer, crls)

    return hold
