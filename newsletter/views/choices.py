"""Your choices, behind a freshly mailed link: name, lists, measuring; each press works at once."""

import time
from datetime import timedelta
from functools import partial

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter import letters
from newsletter.models import Delivery
from registrants import consent, languages, preferences, suppression, tokens
from registrants.consent import Means
from registrants.models import Choice, MailingList, Registrant, Subscription, Suppression
from registrants.models.scope import Scoped
from registrants.models.wording import Purpose
from registrants.provenance import Provenance, provenance_of
from registrants.token_pages import (
    is_over_limit,
    private_page,
    too_many_acts,
    unknown_link,
)
from registrants.tokens import Scope
from registrants.wordings import wording

LIVES = timedelta(hours=24)
ON = Subscription.State.CONFIRMED
PURPOSES = {"opens": Purpose.OPENS, "clicks": Purpose.CLICKS}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "OPTIONS", "POST"])
@private_page
def choices(request: HttpRequest, token: str) -> HttpResponse:
    """Show and change a person's own choices; only a link mailed in the last 24 hours opens it."""
    named = tokens.read(Scope.CHOICES, token)
    letter = (
        Delivery.objects.filter(pk=named[0], letter=Delivery.Letter.CHOICES)
        .select_related("registrant__client")
        .first()
        if named
        else None
    )
    if letter is None or letter.registrant.erased_at:
        return unknown_link(request)
    person = letter.registrant
    languages.speak(person.client.locale)
    if letter.created_at < now() - LIVES:
        return _over(request, person)
    message, fault, status = "", "", 200
    if request.method == "POST" and not _may(request, letter):
        fault, status = too_many_acts(), 429
    elif request.method == "POST":
        try:
            message = _act(request, person, provenance_of(request, Means.CHOICES_PAGE))
        except ValidationError as problem:
            fault = problem.messages[0]
    page = _page(request, person, message, fault)
    return render(request, "public/choices.html", page, status=status)


def _may(request: HttpRequest, letter: Delivery) -> bool:
    act = request.POST.get("act", "").partition(":")[0]
    is_no = act in ("leave", "refuse")
    return is_no or not is_over_limit(f"choices:{letter.pk}", letter.registrant)


def _over(request: HttpRequest, person: Registrant) -> HttpResponse:
    is_mailed = request.method == "POST"
    if is_mailed:
        letters.owe(
            registrant=person,
            letter=Delivery.Letter.CHOICES,
            asked_by=int(time.time() // 600),
        )
    page = {"client": person.client, "is_mailed": is_mailed}
    return render(request, "public/link_is_over.html", page, status=200 if is_mailed else 410)


def _act(request: HttpRequest, person: Registrant, by: Provenance) -> str:
    """Do the one thing that was pressed; return what to say, raise ValidationError."""
    act, _, about = request.POST.get("act", "").partition(":")
    if act == "name" and "name" in request.POST:
        preferences.rename(registrant=person, name=request.POST.get("name", ""))
        return gettext("Your name is saved.")
    if act in ("grant", "refuse") and about in PURPOSES:
        change = consent.grant_tracking if act == "grant" else consent.refuse_tracking
        change(registrant=person, purpose=PURPOSES[about], provenance=by)
        return gettext("Saved. It counts from now on.")
    if act in ("join", "leave") and about.isdecimal() and len(about) < 19:
        return _list_act(act, int(about), person, by)
    raise ValidationError(gettext("Nothing was changed: please press one of the buttons."))


def _list_act(act: str, number: int, person: Registrant, by: Provenance) -> str:
    mailing_list = _offered(person).filter(pk=number).first()
    if mailing_list is None:
        raise ValidationError(gettext("This list is not offered here; nothing was changed."))
    if act == "join":
        if suppression.stands(
            address=person.address, reason=Suppression.Reason.NEVER_MAIL, client=person.client
        ):
            raise ValidationError(
                gettext(
                    "This address is never mailed, as was asked. To come back, please write to"
                    " %(client)s at the address below."
                )
                % {"client": person.client}
            )
        consent.join(registrant=person, mailing_list=mailing_list, provenance=by)
        return gettext("You are on “%(list)s” now.") % {"list": mailing_list}
    for subscription in person.subscriptions.filter(mailing_list=mailing_list):
        consent.withdraw(subscription=subscription, provenance=by)
    return gettext("You have left “%(list)s”.") % {"list": mailing_list}


def _offered(person: Registrant) -> Scoped:
    """Return the lists a person may choose from: the public ones, and those they are on."""
    own = Q(pk__in=person.subscriptions.filter(state=ON).values("mailing_list"))
    lists = MailingList.objects.of(person.client_id)
    return lists.filter(Q(is_public=True, archived_at=None) | own)


def _page(request: HttpRequest, person: Registrant, message: str, fault: str) -> dict[str, object]:
    person.refresh_from_db()
    return {
        "client": person.client,
        "person": person,
        "name": request.POST.get("name", person.name) if fault else person.name,
        "said": message,
        "fault": fault,
        "lists": _lists(person),
        "measuring": [
            (
                name,
                wording(client=person.client, purpose=purpose).text,
                getattr(person, name) == Choice.GRANTED,
            )
            for name, purpose in PURPOSES.items()
        ],
    }


def _lists(person: Registrant) -> list[tuple[MailingList, str, bool]]:
    """Return each list with the words that ask for it, and whether the person is on it."""
    on = set(person.subscriptions.filter(state=ON).values_list("mailing_list", flat=True))
    wording_of = partial(wording, client=person.client, purpose=Purpose.LIST)
    return [
        (mailing_list, wording_of(mailing_list=mailing_list).text, mailing_list.pk in on)
        for mailing_list in _offered(person)
    ]
