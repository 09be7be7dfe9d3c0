"""Ask, confirm, withdraw; the only writer of subscriptions and consent events."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.timezone import now

from registrants import suppression
from registrants.addresses import hashed
from registrants.models import (
    Choice,
    Client,
    ConsentEvent,
    ConsentEvidence,
    MailingList,
    Registrant,
    Subscription,
    Suppression,
    Wording,
)
from registrants.models.wording import Purpose
from registrants.pending_asks import Ask, asks, is_confirmed, is_live, waits_for_an_answer
from registrants.provenance import Provenance
from registrants.wordings import wording

Act, Means = ConsentEvent.Act, ConsentEvent.Means


def _note(
    registrant: Registrant,
    act: str,
    provenance: Provenance,
    *,
    mailing_list: MailingList | None = None,
    purpose: str = Purpose.LIST,
    wording: Wording | None = None,
    answers: ConsentEvent | None = None,
    asked_with: ConsentEvent | None = None,
) -> ConsentEvent:
    event = ConsentEvent.objects.create(
        registrant=registrant,
        purpose=purpose,
        mailing_list=mailing_list,
        act=act,
        means=provenance.means,
        wording=wording,
        answers=answers,
        asked_with=asked_with,
        mailing=provenance.mailing,
        staff=provenance.staff,
    )
    if provenance.ip or provenance.browser:
        ConsentEvidence.objects.create(
            event=event,
            address=registrant.address,
            ip=provenance.ip,
            browser=provenance.browser[:400],
        )
    return event


def _lock(registrant: Registrant | int) -> Registrant:
    """Hold a registrant's row, so that of two acts at once the later is the one that counts."""
    number = registrant if isinstance(registrant, int) else registrant.pk
    return Registrant.objects.select_for_update(no_key=True).get(pk=number)


def _registered(client: Client, address: str, ask: Ask) -> Registrant:
    """Return the registrant of an address; what a known person told us is not overwritten."""
    registrant, _ = Registrant.objects.get_or_create(
        client=client,
        address_hash=hashed(address),
        defaults={"address": address, "name": ask.name, "attributes": ask.attributes},
    )
    return registrant


@transaction.atomic
def ask(*, client: Client, address: str, ask: Ask, provenance: Provenance) -> ConsentEvent:
    """Note that an address was asked for; return the first ask, which one letter confirms.

    Nothing that stands is changed by asking: a new subscription is pending, a known one stays as
    it is until its owner confirms (S-19). Raises ValueError where no list is asked for.
    """
    if not ask.lists:
        raise ValueError("a person is asked for at least one list")
    registrant = _registered(client, address, ask)
    first: ConsentEvent | None = None
    for mailing_list in ask.lists:
        Subscription.objects.get_or_create(registrant=registrant, mailing_list=mailing_list)
        current = wording(client=client, purpose=Purpose.LIST, mailing_list=mailing_list)
        event = _note(
            registrant,
            Act.ASKED,
            provenance,
            mailing_list=mailing_list,
            wording=current,
            asked_with=first,
        )
        first = first or event
    for purpose, is_asked in ((Purpose.OPENS, ask.opens), (Purpose.CLICKS, ask.clicks)):
        if not is_asked:
            continue
        current = wording(client=client, purpose=purpose)
        _note(registrant, Act.ASKED, provenance, purpose=purpose, wording=current, asked_with=first)
    assert first is not None
    return first


@transaction.atomic
def confirm(*, event: ConsentEvent, provenance: Provenance) -> bool:
    """Turn an ask and all asked with it into consent; return False where the ask is dead.

    Repeating it changes nothing. The person's own confirmation outweighs what kept the address
    back: an earlier erasure, a bounce, a complaint (U-30: the latest explicit act counts).
    """
    registrant = event.registrant = _lock(event.registrant_id)
    if not is_live(event):
        return False
    open_asks = [ask for ask in asks(event) if is_live(ask) and not is_confirmed(ask)]
    for ask in open_asks:
        _note(
            registrant,
            Act.GIVEN,
            provenance,
            purpose=ask.purpose,
            mailing_list=ask.mailing_list,
            wording=ask.wording,
            answers=ask,
        )
        if ask.mailing_list is not None:
            _begin(registrant, ask.mailing_list)
        else:
            _set_choice(registrant, ask.purpose, Choice.GRANTED)
    if open_asks:
        _let_mail_through(registrant)
    return True


def _let_mail_through(registrant: Registrant) -> None:
    """Lift what kept the address back, now that its owner has said yes (U-30)."""
    suppression.lift(
        address=registrant.address,
        reasons=[
            Suppression.Reason.ERASED,
            Suppression.Reason.HARD_BOUNCE,
            Suppression.Reason.COMPLAINT,
        ],
        client=registrant.client,
    )


def _begin(registrant: Registrant, mailing_list: MailingList) -> None:
    Subscription.objects.filter(registrant=registrant, mailing_list=mailing_list).exclude(
        state=Subscription.State.CONFIRMED
    ).update(
        state=Subscription.State.CONFIRMED,
        confirmed_at=now(),
        ended_at=None,
        ended_reason="",
        paused_until=None,
    )


def _set_choice(registrant: Registrant, purpose: str, choice: Choice) -> None:
    Registrant.objects.filter(pk=registrant.pk).update(**{str(purpose): choice})


@transaction.atomic
def withdraw(
    *,
    subscription: Subscription,
    provenance: Provenance,
    reason: Subscription.Ended = Subscription.Ended.UNSUBSCRIBED,
) -> bool:
    """End a subscription at once; return False where it had ended already (U-23, U-30).

    An ask that still waits for its answer dies with it.
    """
    _lock(subscription.registrant_id)
    ended = (
        Subscription.objects.filter(pk=subscription.pk)
        .exclude(state=Subscription.State.ENDED)
        .update(
            state=Subscription.State.ENDED,
            ended_at=now(),
            ended_reason=reason,
            paused_until=None,
        )
    )
    if ended or waits_for_an_answer(
        registrant=subscription.registrant_id,
        purpose=Purpose.LIST,
        mailing_list=subscription.mailing_list_id,
    ):
        _note(
            subscription.registrant,
            Act.WITHDRAWN,
            provenance,
            mailing_list=subscription.mailing_list,
        )
    return bool(ended)


@transaction.atomic
def withdraw_all(
    *,
    registrant: Registrant,
    provenance: Provenance,
    reason: Subscription.Ended = Subscription.Ended.UNSUBSCRIBED,
) -> int:
    """End every subscription of a registrant; return how many ended now."""
    every = registrant.subscriptions.select_related("registrant", "mailing_list")
    return sum(
        withdraw(subscription=subscription, provenance=provenance, reason=reason)
        for subscription in every
    )


@transaction.atomic
def never_mail(
    *, registrant: Registrant, provenance: Provenance, reason: Subscription.Ended
) -> None:
    """End everything and keep the address from being mailed by this client (P8)."""
    withdraw_all(registrant=registrant, provenance=provenance, reason=reason)
    if registrant.address:
        suppression.suppress(
            address=registrant.address,
            reason=Suppression.Reason.NEVER_MAIL,
            client=registrant.client,
            evidence=str(provenance.means),
        )


@transaction.atomic
def pause(*, subscription: Subscription, until: datetime, provenance: Provenance) -> bool:
    """Send nothing of a list until then; return False where the subscription is not confirmed.

    Within the day of a pause of the same length it is the same pause, and nothing is written.
    """
    confirmed = Subscription.objects.filter(pk=subscription.pk, state=Subscription.State.CONFIRMED)
    another = confirmed.exclude(paused_until__range=(until - timedelta(days=1), until))
    paused = another.update(paused_until=until)
    if paused:
        _note(
            subscription.registrant, Act.PAUSED, provenance, mailing_list=subscription.mailing_list
        )
    return bool(paused) or confirmed.exists()


@transaction.atomic
def resume(*, subscription: Subscription, provenance: Provenance) -> bool:
    """End a pause; return False where there was none."""
    resumed = Subscription.objects.filter(pk=subscription.pk, paused_until__isnull=False).update(
        paused_until=None
    )
    if resumed:
        _note(
            subscription.registrant, Act.RESUMED, provenance, mailing_list=subscription.mailing_list
        )
    return bool(resumed)


@transaction.atomic
def refuse_tracking(*, registrant: Registrant, purpose: Purpose, provenance: Provenance) -> bool:
    """Stop measuring, for mail already sent too (L-45); return False where it was refused."""
    _lock(registrant)
    changed = Registrant.objects.filter(pk=registrant.pk).exclude(**{str(purpose): Choice.DENIED})
    refused = changed.update(**{str(purpose): Choice.DENIED})
    if refused or waits_for_an_answer(registrant=registrant.pk, purpose=purpose):
        _note(registrant, Act.WITHDRAWN, provenance, purpose=purpose)
    return bool(refused)


@transaction.atomic
def grant_tracking(*, registrant: Registrant, purpose: Purpose, provenance: Provenance) -> bool:
    """Allow measuring; only behind a fresh mailed link (U-29). False where it stood so."""
    _lock(registrant)
    changed = Registrant.objects.filter(pk=registrant.pk).exclude(**{str(purpose): Choice.GRANTED})
    if changed.update(**{str(purpose): Choice.GRANTED}):
        current = wording(client=registrant.client, purpose=purpose)
        _note(registrant, Act.GIVEN, provenance, purpose=purpose, wording=current)
        return True
    return False


@transaction.atomic
def join(*, registrant: Registrant, mailing_list: MailingList, provenance: Provenance) -> bool:
    """Give consent to a list behind a fresh mailed link, which proves the address (P7)."""
    registrant = _lock(registrant)
    subscription, _ = Subscription.objects.get_or_create(
        registrant=registrant, mailing_list=mailing_list
    )
    if subscription.state == Subscription.State.CONFIRMED:
        return False
    current = wording(client=registrant.client, purpose=Purpose.LIST, mailing_list=mailing_list)
    _note(registrant, Act.GIVEN, provenance, mailing_list=mailing_list, wording=current)
    _begin(registrant, mailing_list)
    _let_mail_through(registrant)
    return True
