"""The seal tells what was installed, and nothing once the object was changed."""

from datetime import UTC, datetime

import pytest

from providers.pairing import Pair
from providers.seal import CONTENT, Seal, read_seal, unsealed

PAIR = Pair("0a1b", "5e" * 32, datetime(2026, 1, 1, tzinfo=UTC), "7f" * 32, "www.example.com")
WITNESS = "c0ffee"


def sealed(witness: str = WITNESS) -> dict[str, str]:
    return {"team": "payments", CONTENT: str(Seal.of(PAIR, witness))}


def test_a_seal_is_read_back_as_it_was_made() -> None:
    seal = read_seal(sealed(), WITNESS)
    assert seal == Seal(WITNESS, PAIR.serial, PAIR.sha256, PAIR.trust)


def test_a_seal_without_trust_is_one_of_what_was_adopted() -> None:
    labels = {CONTENT: str(Seal(WITNESS, PAIR.serial, PAIR.sha256, ""))}
    assert read_seal(labels, WITNESS) == Seal(WITNESS, PAIR.serial, PAIR.sha256, "")


@pytest.mark.parametrize("witness", ["c0ffef", "", WITNESS.upper()])
def test_an_object_of_another_witness_has_no_seal(witness: str) -> None:
    assert read_seal(sealed(), witness) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hosted",
        f"2/{WITNESS}/a/b/c",
        f"1/{WITNESS}/a/b",
        f"1/{WITNESS}/a/b/c/d",
        f"{WITNESS}/a/b/c/1",
    ],
)
def test_what_is_no_seal_of_ours_is_none(text: str) -> None:
    assert read_seal({CONTENT: text}, WITNESS) is None


def test_an_object_without_the_label_has_no_seal_even_where_it_has_no_witness() -> None:
    assert read_seal({}, "") is None


def test_labels_without_the_seal_are_all_the_others() -> None:
    assert unsealed(sealed()) == {"team": "payments"}


def test_a_seal_fits_the_shortest_value_that_a_place_with_seals_takes() -> None:
    longest = Seal("f" * 40, "f" * 40, PAIR.sha256, PAIR.trust)
    assert len(str(longest)) <= 256
