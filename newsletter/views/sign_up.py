"""The public sign-up form of a client; anybody may call it, nothing stands until confirmed."""

import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accountability import limits
from newsletter import letters
from newsletter.models import Delivery
from registrants import addresses, consent
from registrants.consent import Ask, Means, wording
from registrants.doors import hand, neighbourhood
from registrants.models import Client, ConsentEvent, MailingList
from registrants.models.wording import Purpose
from registrants.preferences import clean_name

FASTEST, SLOWEST = 2.0, 3600.0
HONEYPOT = "website"
DATABASE_LIMIT = 60
"""Asks a minute in the whole installation while Redis is away."""
_signer = TimestampSigner(salt="sign-up")


@dataclass
class Form:
    """What was typed, what was wrong with it, and what it asks once it is right."""

    client: Client
    lists: list[MailingList]
    address: str = ""
    name: str = ""
    chosen: set[int] = field(default_factory=set)
    opens: bool = False
    clicks: bool = False
    faults: dict[str, str] = field(default_factory=dict)

    def read(self, request: HttpRequest) -> None:
        """Read and check a posted form; faults are named by field."""
        said = request.POST
        self.address, self.name = said.get("address", ""), said.get("name", "")
        self.opens, self.clicks = "opens" in said, "clicks" in said
        offered = {str(each.pk) for each in self.lists}
        wanted = set(said.getlist("list"))
        self.chosen = {int(each) for each in wanted & offered}
        if wanted - offered:
            self.faults["list"] = "One of these lists is not offered here; please choose again."
        elif not wanted:
            self.faults["list"] = "Please choose at least one list."
        for name, check in (("address", addresses.clean), ("name", clean_name)):
            try:
                setattr(self, name, check(getattr(self, name)))
            except ValidationError as fault:
                self.faults[name] = fault.messages[0]
        if fault := _timing_fault(said.get("shown", "")):
            self.faults["form"] = fault

    @property
    def ask(self) -> Ask:
        """Return what is asked."""
        lists = tuple(each for each in self.lists if each.pk in self.chosen)
        return Ask(lists=lists, opens=self.opens, clicks=self.clicks, name=self.name)


def _timing_fault(shown: str) -> str:
    """Return what is wrong with the time between showing and sending the form, or nothing."""
    try:
        at = float(_signer.unsign(shown, max_age=SLOWEST))
    except (BadSignature, ValueError):
        return "This page was open for a long time. Please look it over and press the button again."
    if time.time() - at < FASTEST:
        return "That was very fast. Please look it over and press the button again."
    return ""


def _may_ask(request: HttpRequest, address: str) -> bool:
    """Tell whether the limits allow one more ask (S-3); a database limit stands in for Redis."""
    domain = address.rpartition("@")[2]
    mailbox = addresses.mailbox_hashed(address).hex()
    buckets = (
        (f"sign-up:from:{neighbourhood(request)}", 1 / 30, 20),
        (f"sign-up:mailbox:{mailbox}", 1 / 3600, 5),
        (f"sign-up:domain:{domain}", 1.0, 200),
        ("sign-up:all", 20.0, 2000),
    )
    try:
        return all([limits.allow(key, rate=rate, burst=burst) for key, rate, burst in buckets])
    except limits.Unreachable:
        lately = ConsentEvent.objects.filter(at__gt=now() - timedelta(minutes=1), act="asked")
        return lately.count() < DATABASE_LIMIT


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form; on POST ask by letter and answer alike whoever the address is (S-4)."""
    client = get_object_or_404(Client, slug=slug)
    lists = list(client.lists.filter(is_public=True, archived_at=None))
    form = Form(client, lists)
    if request.method != "POST":
        return _show(request, form)
    form.read(request)
    if form.faults:
        return _show(request, form, status=422)
    if not request.POST.get(HONEYPOT):
        if not _may_ask(request, form.address):
            form.faults["form"] = "Too many sign-ups came from here. Please try again in an hour."
            return _show(request, form, status=429)
        _ask(request, form)
    return render(request, "public/asked.html", {"client": client})


@transaction.atomic
def _ask(request: HttpRequest, form: Form) -> None:
    ask = consent.ask(
        client=form.client,
        address=form.address,
        ask=form.ask,
        hand=hand(request, Means.FORM),
    )
    letters.owe(registrant=ask.registrant, letter=Delivery.Letter.CONFIRM, asked_by=ask.pk)


def _show(request: HttpRequest, form: Form, status: int = 200) -> HttpResponse:
    words = [
        (each, wording(client=form.client, purpose=Purpose.LIST, mailing_list=each).text)
        for each in form.lists
    ]
    return render(
        request,
        "public/sign_up.html",
        {
            "client": form.client,
            "form": form,
            "faults": form.faults,
            "lists": [(each, text, each.pk in form.chosen) for each, text in words],
            "opens_words": wording(client=form.client, purpose=Purpose.OPENS).text,
            "clicks_words": wording(client=form.client, purpose=Purpose.CLICKS).text,
            "shown": _signer.sign(str(time.time())),
            "honeypot": HONEYPOT,
        },
        status=status,
    )
