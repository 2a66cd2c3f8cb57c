"""CAs to sign below, made once a session."""

from collections.abc import Callable
from typing import Any

import pytest
from pki_house import House, Made

from providers import x509


@pytest.fixture(scope="session")
def house() -> House:
    return House()


@pytest.fixture(scope="session")
def root(house: House) -> Made:
    return house.root()


@pytest.fixture(scope="session")
def issuing(house: House, root: Made) -> Made:
    return house.below(root, path_length=0)


@pytest.fixture(scope="session")
def issue(house: House, issuing: Made) -> Callable[..., bytes]:
    """Sign a leaf with these changes to the usual request."""

    def sign(**changes: Any) -> bytes:
        tbs = house.tbs(house.leaf_request(**changes))
        return x509.sign(tbs, issuing.authority, issuing.signer)

    return sign
