"""Ask, confirm, withdraw: the ledger, and who wins where two acts meet."""

import threading
from collections.abc import Callable
from functools import partial

import pytest
from django.db import DatabaseError, connection, transaction

from registrants import consent, suppression
from registrants.consent import Ask, Means
from registrants.models import (
    ConsentEvent,
    ConsentEvidence,
    MailingList,
    Registrant,
    Subscription,
    Suppression,
    Wording,
)
from registrants.models.wording import Purpose
from registrants.provenance import Provenance
from registrants.wordings import wording
from tests.cast import FORM, Cast, make_cast, make_list

BY_CLICK = Provenance(means=Means.ONE_CLICK)
BY_PAGE = Provenance(means=Means.CONFIRM_PAGE)


def ask(cast: Cast, person: Registrant, opens: bool = False, clicks: bool = False) -> ConsentEvent:
    """Ask a person for the one list by form."""
    wanted = Ask(lists=(cast.mailing_list,), opens=opens, clicks=clicks)
    return consent.ask(client=cast.client, address=person.address, ask=wanted, provenance=FORM)


def acts(person: Registrant) -> list[str]:
    """Return what happened with a person, in order."""
    events = ConsentEvent.objects.filter(registrant=person).order_by("pk")
    return [f"{event.purpose} {event.act}" for event in events]


def test_asking_changes_nothing_that_stands(cast: Cast) -> None:
    """S-19."""
    for person in (cast.ada, cast.cleo):
        before = person.subscriptions.values().get()
        ask(cast, person, opens=True)
        assert person.subscriptions.values().get() == before
    cast.ada.refresh_from_db()
    assert cast.ada.opens == "unknown"


def test_asking_for_nothing_is_refused(cast: Cast) -> None:
    with pytest.raises(ValueError, match="at least one list"):
        consent.ask(client=cast.client, address="x@example.net", ask=Ask(lists=()), provenance=FORM)


def test_one_letter_confirms_all_that_was_asked_together(cast: Cast) -> None:
    more = make_list(cast.client, "Events", "events")
    first = consent.ask(
        client=cast.client,
        address="gus@example.net",
        ask=Ask(lists=(cast.mailing_list, more), opens=True, clicks=True),
        provenance=FORM,
    )
    assert consent.confirm(event=first, provenance=BY_PAGE)
    gus = first.registrant
    gus.refresh_from_db()
    assert (gus.opens, gus.clicks) == ("granted", "granted")
    assert gus.subscriptions.filter(state="confirmed").count() == 2
    assert len(acts(gus)) == 8
    assert consent.confirm(event=first, provenance=BY_PAGE)
    assert len(acts(gus)) == 8


def test_a_later_refusal_of_measuring_outlives_the_letter(cast: Cast) -> None:
    first = ask(cast, cast.ben, opens=True, clicks=True)
    consent.refuse_tracking(registrant=cast.ben, purpose=Purpose.OPENS, provenance=BY_CLICK)
    assert consent.confirm(event=first, provenance=BY_PAGE)
    cast.ben.refresh_from_db()
    assert (cast.ben.opens, cast.ben.clicks) == ("denied", "granted")


def test_refusing_again_kills_what_was_asked_meanwhile(cast: Cast) -> None:
    consent.refuse_tracking(registrant=cast.ben, purpose=Purpose.OPENS, provenance=BY_CLICK)
    first = ask(cast, cast.ben, opens=True)
    assert not consent.refuse_tracking(
        registrant=cast.ben, purpose=Purpose.OPENS, provenance=BY_CLICK
    )
    consent.confirm(event=first, provenance=BY_PAGE)
    cast.ben.refresh_from_db()
    assert cast.ben.opens == "denied"


def test_withdrawing_says_whether_it_ended_now(cast: Cast) -> None:
    subscription = cast.ada.subscriptions.get()
    assert consent.withdraw(subscription=subscription, provenance=BY_CLICK)
    assert not consent.withdraw(subscription=subscription, provenance=BY_CLICK)
    assert acts(cast.ada) == ["list asked", "list given", "list withdrawn"]


def test_never_mail_kills_open_asks_even_of_who_had_left(cast: Cast) -> None:
    waiting = ask(cast, cast.cleo)
    consent.never_mail(
        registrant=cast.cleo, provenance=BY_CLICK, reason=Subscription.Ended.NEVER_MAIL
    )
    assert not consent.confirm(event=waiting, provenance=BY_PAGE)
    assert suppression.stands(
        address=cast.cleo.address, reason=Suppression.Reason.NEVER_MAIL, client=cast.client
    )


def test_changed_words_are_a_new_version_and_old_ones_stay(cast: Cast) -> None:
    first = wording(client=cast.client, purpose=Purpose.LIST, mailing_list=cast.mailing_list)
    assert first == wording(
        client=cast.client, purpose=Purpose.LIST, mailing_list=cast.mailing_list
    )
    cast.mailing_list.purpose = "something else"
    second = wording(client=cast.client, purpose=Purpose.LIST, mailing_list=cast.mailing_list)
    assert (first.version, second.version) == (1, 2)
    assert Wording.objects.get(pk=first.pk).text == first.text


@pytest.mark.parametrize("model", [ConsentEvent, Wording])
def test_the_ledgers_refuse_update_and_delete(cast: Cast, model: type[ConsentEvent]) -> None:
    for attempt in (
        lambda: model.objects.update(purpose="opens"),
        lambda: model.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            attempt()
    with pytest.raises(DatabaseError), transaction.atomic():
        Subscription.objects.all()._raw_delete("default")


def test_consent_events_hold_no_personal_data(cast: Cast) -> None:
    columns = {field.name for field in ConsentEvent._meta.concrete_fields}
    assert not columns & {"address", "ip", "browser", "name"}
    evidence = ConsentEvidence.objects.filter(event__registrant=cast.ada).first()
    assert evidence is not None
    assert evidence.ip == "192.0.2.7"


def at_once(*calls: Callable[[], object]) -> None:
    """Do things at the same moment, each with a connection of its own; re-raise what went wrong."""
    faults: list[BaseException] = []
    gate = threading.Barrier(len(calls))

    def run(call: Callable[[], object]) -> None:
        try:
            gate.wait(10)
            call()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    if faults:
        raise faults[0]


def _confirm(event: int) -> None:
    consent.confirm(event=ConsentEvent.objects.get(pk=event), provenance=BY_PAGE)


@pytest.mark.django_db(transaction=True)
def test_the_state_is_what_the_last_event_says_when_yes_and_no_meet() -> None:
    """U-30."""
    cast = make_cast()
    for _ in range(15):
        waiting = ask(cast, cast.ben)
        subscription = cast.ben.subscriptions.get()
        at_once(
            partial(_confirm, waiting.pk),
            partial(consent.withdraw, subscription=subscription, provenance=BY_CLICK),
        )
        last = ConsentEvent.objects.filter(registrant=cast.ben).latest("pk")
        subscription.refresh_from_db()
        assert (last.act, subscription.state) in {("given", "confirmed"), ("withdrawn", "ended")}


@pytest.mark.django_db(transaction=True)
def test_many_sign_ups_of_one_address_at_once_make_one_person_and_one_letter() -> None:
    from newsletter import letters
    from newsletter.models import Delivery

    cast = make_cast()
    MailingList.objects.filter(pk=cast.mailing_list.pk).update(purpose="new words for everybody")
    cast.mailing_list.refresh_from_db()

    @transaction.atomic
    def sign_up() -> None:
        wanted = Ask(lists=(cast.mailing_list,))
        asked = consent.ask(
            client=cast.client, address="gus@example.net", ask=wanted, provenance=FORM
        )
        letters.owe(registrant=asked.registrant, letter=Delivery.Letter.CONFIRM, asked_by=asked.pk)

    at_once(*[sign_up] * 8)
    gus = Registrant.objects.get(address="gus@example.net")
    assert gus.subscriptions.count() == 1
    assert Delivery.objects.filter(registrant=gus).count() == 1
    assert Wording.objects.filter(mailing_list=cast.mailing_list).count() == 2
