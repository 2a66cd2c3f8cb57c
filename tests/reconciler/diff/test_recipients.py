"""Who can open the keys: an edit of the documents is a change of the plan, and then of the ciphertext."""

import pytest
from fleet import Fleet
from fleet_documents import Ca, Leaf
from fleet_sights import shown
from memory_ledger import ClearCipher, Crash

from providers.sops.recipients import recipients_of, wanted_recipients
from reconciler.events import EventStatus
from reconciler.order import waves
from reconciler.planning import pending
from reconciler.selection import Selection
from schemas.plan import Action
from schemas.project import Recipient

ANN, BOB, CAT = (f"age1{letter * 58}" for letter in "abc")


@pytest.fixture
def fleet() -> Fleet:
    cas = {"root": Ca(), "mid": Ca("root")}
    return Fleet(cas=cas, leaves={"web": Leaf("mid")}, keyring=(ANN,), recipients=(BOB,)).converge()


def test_an_edit_of_the_keyring_is_a_change_to_review(fleet: Fleet) -> None:
    fleet.keyring = (ANN, CAT)
    (step,) = fleet.plan().changes
    assert (step.id, step.reason, step.due) == ("configure:keyring", "RecipientsChanged", False)
    (field,) = step.fields
    assert (field.before, field.after) == ([ANN], [ANN, CAT])
    fleet.converge()
    assert recipients_of(fleet.journal.sealed) == (ANN, CAT)


def test_every_generation_of_a_ca_gets_the_recipients_of_its_authority(fleet: Fleet) -> None:
    fleet.cas["mid"] = Ca("root", generation=2)
    fleet.converge()
    fleet.recipients = (CAT,)
    assert shown(fleet.plan()) == [
        ("configure", "authority/mid", "RecipientsChanged"),
        ("configure", "authority/root", "RecipientsChanged"),
    ]
    fleet.converge()
    keys = fleet.journal.authority_keys
    assert {which: recipients_of(key) for which, key in keys.items()} == {
        ("root", 1): (CAT,),
        ("mid", 1): (CAT,),
        ("mid", 2): (CAT,),
    }


def test_an_authority_that_names_nobody_follows_the_keyring(fleet: Fleet) -> None:
    fleet.recipients = ()
    fleet.converge()
    assert recipients_of(fleet.journal.authority_keys["root", 1]) == (ANN,)


def test_keys_go_to_others_after_this_run_has_signed_with_them(fleet: Fleet) -> None:
    fleet.cas["low"] = Ca("root")
    fleet.identities, fleet.recipients = (ANN, BOB), (CAT,)
    order = waves(pending(fleet.plan().changes))
    assert {step.action for step in order[-1]} == {Action.CONFIGURE}
    assert {step.action for wave in order[:-1] for step in wave} == {Action.ISSUE, Action.PUBLISH}


def test_who_cannot_open_a_key_cannot_give_it_away_and_the_rest_goes_on(fleet: Fleet) -> None:
    fleet.identities, fleet.keyring, fleet.recipients = (ANN,), (ANN, CAT), (BOB, CAT)
    events = {event.address: event for event in fleet.apply()}
    assert events["keyring"].status is EventStatus.DONE
    assert events["authority/root"].status is EventStatus.FAILED
    assert BOB in events["authority/root"].message
    assert recipients_of(fleet.journal.authority_keys["root", 1]) == (BOB,)


def test_the_nightly_run_gives_keys_to_nobody(fleet: Fleet) -> None:
    fleet.keyring = (CAT,)
    assert fleet.plan(Selection(due_only=True)).changes == ()


def test_what_does_not_say_who_opens_it_is_left_alone(fleet: Fleet) -> None:
    fleet.journal.sealed = b"damaged"
    fleet.cas["other"] = Ca()
    fleet.converge()
    assert fleet.journal.state.keyring is None


def test_the_key_that_is_encrypted_anew_is_the_same_key(fleet: Fleet) -> None:
    cipher = ClearCipher()
    before = cipher.decrypt(fleet.journal.authority_keys["mid", 1])
    fleet.recipients = (CAT,)
    fleet.converge()
    after = cipher.decrypt(fleet.journal.authority_keys["mid", 1])
    assert after.reveal() == before.reveal()


def test_a_key_of_azure_without_its_version_stands_for_the_one_the_file_has() -> None:
    url = "https://x.vault.azure.net/keys/k"
    named = [Recipient(azure_key_vault=url), Recipient(pgp="AB CD")]
    assert wanted_recipients(named, (f"{url}/7", "ABCD")) == {f"{url}/7", "ABCD"}
    assert wanted_recipients(named) == {url, "ABCD"}
    assert wanted_recipients([Recipient(azure_key_vault=f"{url}/8")], (f"{url}/7",)) == {f"{url}/8"}


@pytest.mark.parametrize("after", [False, True])
def test_a_run_that_dies_while_it_gives_keys_away_is_gone_on_with(
    fleet: Fleet, *, after: bool
) -> None:
    fleet.keyring, fleet.recipients = (ANN, CAT), (BOB, CAT)
    fleet.journal.crash_at, fleet.journal.crash_after = 1, after
    with pytest.raises(Crash):
        fleet.apply()
    fleet.converge()
    keys = (fleet.journal.sealed, *fleet.journal.authority_keys.values())
    assert all(CAT in recipients_of(key) for key in keys)
