"""Ceremonies that are put off while the documents go on."""
from dataclasses import replace

from ceremony_table import Table, offline_fleet


def test_what_was_to_hang_by_a_root_that_was_given_up_is_asked_for_anew() -> None:
    table = Table(offline_fleet())
    answer = table.sign(table.export())
    table.fleet.cas["root"] = replace(table.fleet.cas["root"], permits=("example.com", "test"))
    table.take_in(table.sign(table.export()))
    table.fleet.converge()
