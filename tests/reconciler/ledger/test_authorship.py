"""Who wrote a wave: kept with it, told by the lock, and harmless to show."""

import json
from collections.abc import Callable
from typing import Any

import ledger_kit as kit
import pytest
from ledger_kit import Site

from providers.sops.binary import Sops
from reconciler.git import GitError
from reconciler.ledger import lock
from reconciler.ledger.authorship import Author, trailers_of, with_trailers
from reconciler.ledger.contract import Wave
from reconciler.ledger.history import log
from reconciler.ledger.holder import Holder, parse_holder, this_process
from reconciler.ledger.journal import Access, open_journal
from reconciler.ledger.store import open_store


def test_a_wave_says_who_wrote_it_from_what(site: Site) -> None:
    author = Author("certform apply", "0" * 40, "Jo <jo@example.com>\nCommand: other")
    access = Access(Sops(), lambda: kit.NOW, kit.QUICK, author)
    with open_journal(site.path, site.settings, access) as journal:
        assert journal.lock.holder.command == "certform apply"
        journal.write(Wave("issue web"))
    entry = log(site.path, site.settings)[0]
    assert entry.summary == "issue web"
    assert entry.trailers == {
        "Command": "certform apply",
        "Documents": "0" * 40,
        "Actor": "Jo <jo@example.com>?Command: other",
    }


def test_only_the_last_paragraph_holds_trailers() -> None:
    assert trailers_of("Revoke: 1f") == {}
    assert trailers_of(with_trailers("A: 1\n\nB: 2", {"C": "3"})) == {"C": "3"}


def holder(**changes: str) -> Holder:
    text = {"command": "certform apply", "host": "here", **changes}
    process = this_process().model_copy(update={"host": text["host"]})
    return Holder(
        id="00ff" * 4, process=process, command=text["command"], acquired_at=kit.NOW, ttl=300
    )


def test_what_a_lock_says_is_one_short_line() -> None:
    said = holder().to_json()
    said["command"], said["process"]["host"] = "a\x1b[2J\nb" + "c" * 999, "\u202eevil\x07"
    parsed = parse_holder(json.dumps(said))
    assert str(parsed).isprintable()
    assert len(str(parsed)) < 500


def test_a_lock_that_says_too_much_is_not_read() -> None:
    with pytest.raises(ValueError, match="short"):
        parse_holder(json.dumps(holder().to_json()) + " " * 10_000)


def test_a_value_that_went_while_it_was_read_is_looked_at_again(
    make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A holder of the same clone deletes each former value of its lock."""
    site, read, failures = make_site(remote=False), lock.held_by, [1]

    def gone(*arguments: Any) -> Holder | None:
        if failures:
            failures.pop()
            raise GitError("cat-file", 1, "no commit")
        return read(*arguments)

    monkeypatch.setattr(lock, "held_by", gone)
    with site.journal(lock.Patience(timeout=20, poll=0.01)) as journal:
        journal.write(Wave("on we go"))


def test_an_address_in_a_message_names_no_password(make_site: Callable[..., Site]) -> None:
    site = make_site(remote=False)
    address = "http://user:pa55@word@127.0.0.1:1/ledger.git"
    place = open_store(site.path, site.settings.model_copy(update={"remote": address}))
    assert place.place == "certform/ledger at http://127.0.0.1:1/ledger.git"
    assert "pa55" not in repr(place)
    with pytest.raises(GitError) as failure:
        place.tips()
    (found,) = failure.value.diagnostics
    assert "word@" not in found.summary + found.detail + found.hint
    assert "\n" not in found.summary
    assert "http://127.0.0.1:1/ledger.git" in found.hint
