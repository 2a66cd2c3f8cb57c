"""Ceremonies that are put off while the documents go on."""

from dataclasses import replace

import pytest
from ceremony_table import Table, offline_fleet

from reconciler.errors import InvalidInput


def test_what_was_to_hang_by_a_root_that_was_given_up_is_asked_for_anew() -> None:
    table = Table(offline_fleet())
    table.sign(table.export())
    table.fleet.cas["root"] = replace(table.fleet.cas["root"], permits=("example.com", "test"))
    table.take_in(table.sign(table.export()))
    table.fleet.converge()


def test_what_is_signed_under_a_certificate_that_was_given_up_is_not_taken_in() -> None:
    """Nothing could be traced from it to its root."""
    table = Table(offline_fleet())
    request = table.export()
    record = table.fleet.journal.state.authorities["mid"]
    lost = tuple(each.model_copy(update={"signer": "77"}) for each in record.issuances)
    state = table.fleet.journal.state
    known = {**state.authorities, "mid": record.model_copy(update={"issuances": lost})}
    table.fleet.journal.state = replace(state, authorities=known)
    with pytest.raises(InvalidInput, match="signed under was given up"):
        table.take_in(table.sign(request))
