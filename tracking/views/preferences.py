"""The page behind the footer link: stop, pause, refuse at once; the rest after a mailed link."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter import letters
from newsletter.models import Delivery
from registrants import consent, gate, languages
from registrants.addresses import masked
from registrants.consent import Ask, Means
from registrants.models import Choice, Registrant, Subscription
from registrants.models.wording import Purpose
from registrants.pending_asks import asked_today
from registrants.provenance import Provenance, provenance_of
from registrants.token_pages import (
    is_over_limit,
    private_page,
    too_many_acts,
    unknown_link,
)
from registrants.tokens import Scope
from tracking import unsubscribes
from tracking.views.link_subscription import subscription_of

PAUSES = {"30": timedelta(days=30), "90": timedelta(days=90)}


class Visit(NamedTuple):
    """Who asks, about which subscription, by which mailing, by whose hand."""

    subscription: Subscription
    mailing: int
    provenance: Provenance

    @property
    def registrant(self) -> Registrant:
        """Return the person the page is about."""
        return self.subscription.registrant


def _leave(visit: Visit) -> str:
    unsubscribes.unsubscribe(
        subscription=visit.subscription, mailing=visit.mailing, provenance=visit.provenance
    )
    return gettext("Done. You get no more mail from “%(list)s”.") % {
        "list": visit.subscription.mailing_list
    }


def _leave_all(visit: Visit) -> str:
    unsubscribes.unsubscribe_all(
        subscription=visit.subscription, mailing=visit.mailing, provenance=visit.provenance
    )
    return gettext("Done. You have left every list of %(client)s.") % {
        "client": visit.registrant.client
    }


def _never(visit: Visit) -> str:
    consent.never_mail(
        registrant=visit.registrant,
        provenance=visit.provenance,
        reason=Subscription.Ended.NEVER_MAIL,
    )
    return gettext("Done. %(client)s will never send newsletters to this address again.") % {
        "client": visit.registrant.client
    }


def _pause(days: str) -> Callable[[Visit], str]:
    def pause(visit: Visit) -> str:
        until = now() + PAUSES[days]
        if consent.pause(subscription=visit.subscription, until=until, provenance=visit.provenance):
            return gettext("Paused until %(day)s. It goes on by itself after that.") % {
                "day": date_format(until, "DATE_FORMAT")
            }
        return gettext("There is nothing to pause: you are not on this list now.")

    return pause


def _resume(visit: Visit) -> str:
    consent.resume(subscription=visit.subscription, provenance=visit.provenance)
    return gettext("The pause is over.")


def _refuse(purpose: Purpose) -> Callable[[Visit], str]:
    def refuse(visit: Visit) -> str:
        consent.refuse_tracking(
            registrant=visit.registrant, purpose=purpose, provenance=visit.provenance
        )
        return gettext("Done. This is no longer measured, for mail you already have too.")

    return refuse


@transaction.atomic
def _undo(visit: Visit) -> str:
    """Ask again by letter: a forwarded mail must not put anybody back on a list (U-29)."""
    mailing_list = visit.subscription.mailing_list
    ask = asked_today(registrant=visit.registrant, mailing_list=mailing_list) or consent.ask(
        client=visit.registrant.client,
        address=visit.registrant.address,
        ask=Ask(lists=(mailing_list,)),
        provenance=visit.provenance,
    )
    letters.owe(registrant=visit.registrant, letter=Delivery.Letter.CONFIRM, asked_by=ask.pk)
    return gettext(
        "A letter to your address is on its way, if it may get one today. Confirm there and you"
        " are back on the list."
    )


def _mail_link(visit: Visit) -> str:
    letters.owe(
        registrant=visit.registrant,
        letter=Delivery.Letter.CHOICES,
        asked_by=int(time.time() // 600),
    )
    return gettext(
        "A link to your address is on its way, if it may get one. It works for 24 hours."
    )


ACTS: dict[str, Callable[[Visit], str]] = {
    "leave": _leave,
    "leave_all": _leave_all,
    "never": _never,
    "pause_30": _pause("30"),
    "pause_90": _pause("90"),
    "resume": _resume,
    "refuse_opens": _refuse(Purpose.OPENS),
    "refuse_clicks": _refuse(Purpose.CLICKS),
    "undo": _undo,
    "mail_link": _mail_link,
}

AT_ANY_TIME = {"leave", "leave_all", "never", "refuse_opens", "refuse_clicks"}
"""The acts that no limit ever holds up (U-25)."""


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
@private_page
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Show the page, and on POST do the one act that was pressed (U-25 to U-29)."""
    named = subscription_of(Scope.PREFERENCES, token)
    if named is None:
        return unknown_link(request)
    subscription, mailing = named
    languages.speak(subscription.registrant.client.locale)
    message, status = "", 200
    if request.method == "POST":
        by = provenance_of(request, Means.PREFERENCES, mailing=mailing or None)
        act = request.POST.get("act", "")
        if _may(act, subscription):
            message = _act(act, Visit(subscription, mailing, by))
        else:
            message, status = too_many_acts(), 429
        subscription.refresh_from_db()
        subscription.registrant.refresh_from_db()
    page = _page(subscription, message)
    return render(request, "public/preferences.html", page, status=status)


def _may(act: str, subscription: Subscription) -> bool:
    if act in AT_ANY_TIME or act not in ACTS:
        return True
    return not is_over_limit(f"preferences:{subscription.pk}", subscription.registrant)


def _act(name: str, visit: Visit) -> str:
    act = ACTS.get(name)
    if act is None:
        return gettext("Nothing was changed: please press one of the buttons below.")
    if visit.registrant.erased_at:
        return gettext("We hold nothing about you any more, so there is nothing to change.")
    return act(visit)


def _page(subscription: Subscription, message: str) -> dict[str, object]:
    person = subscription.registrant
    others = (
        person.subscriptions.filter(state=Subscription.State.CONFIRMED)
        .exclude(pk=subscription.pk)
        .select_related("mailing_list")
    )
    return {
        "client": person.client,
        "mailing_list": subscription.mailing_list,
        "address": masked(person.address),
        "said": message,
        "is_on": subscription.state == Subscription.State.CONFIRMED,
        "is_ended": subscription.state == Subscription.State.ENDED,
        "may_come_back": _may_get_confirm_letter(person),
        "paused_until": _future(subscription.paused_until),
        "others": [other.mailing_list for other in others],
        "opens_refused": person.opens == Choice.DENIED,
        "clicks_refused": person.clicks == Choice.DENIED,
        "opens_granted": person.opens == Choice.GRANTED,
        "clicks_granted": person.clicks == Choice.GRANTED,
        "is_erased": person.erased_at is not None,
    }


def _future(at: datetime | None) -> datetime | None:
    return at if at is not None and at > now() else None


def _may_get_confirm_letter(person: Registrant) -> bool:
    question = gate.Question(kind=gate.MailKind.FRESH_SIGN_UP, client=person.client_id)
    return not gate.ask(registrant=person.pk, question=question)
