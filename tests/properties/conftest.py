"""Serial numbers that come again in every run, so that a history that failed fails again."""

from collections.abc import Iterator

import pytest
from course import SERIALS

from providers import x509


@pytest.fixture(scope="module", autouse=True)
def _serials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(x509, "new_serial", SERIALS)
        yield
