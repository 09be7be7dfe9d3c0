"""The public sign-up form of a client; anybody may call it, nothing stands until confirmed."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import now
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from newsletter import letters
from newsletter.models import Delivery
from newsletter.views.stamp import Stamp
from redis_store import rate_limits
from registrants import addresses, consent, languages, suppression
from registrants.consent import Ask, Means
from registrants.models import Client, ConsentEvent, MailingList, Suppression
from registrants.models.wording import Purpose
from registrants.preferences import clean_name
from registrants.provenance import neighbourhood, provenance_of
from registrants.wordings import wording

HONEYPOT = "website"
DATABASE_LIMIT, DATABASE_LOOKS_BACK = 60, 500
"""Asks a minute in the whole installation while Redis is away, and how many events to look at."""


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

    def __post_init__(self) -> None:
        """Look up the words in force for everything the form asks."""
        lists = [
            wording(client=self.client, purpose=Purpose.LIST, mailing_list=mailing_list).text
            for mailing_list in self.lists
        ]
        self.list_words = dict(
            zip((mailing_list.pk for mailing_list in self.lists), lists, strict=True)
        )
        self.opens_words = wording(client=self.client, purpose=Purpose.OPENS).text
        self.clicks_words = wording(client=self.client, purpose=Purpose.CLICKS).text
        self.stamp = Stamp.now([*lists, self.opens_words, self.clicks_words])

    def read(self, request: HttpRequest) -> None:
        """Read and check a posted form; faults are named by field."""
        form_data = request.POST
        self.address, self.name = form_data.get("address", ""), form_data.get("name", "")
        self.opens, self.clicks = "opens" in form_data, "clicks" in form_data
        offered = {str(mailing_list.pk) for mailing_list in self.lists}
        wanted = set(form_data.getlist("list"))
        self.chosen = {int(number) for number in wanted & offered}
        if wanted - offered:
            self.faults["list"] = gettext(
                "One of these lists is not offered here; please choose again."
            )
        elif not wanted:
            self.faults["list"] = gettext("Please choose at least one list.")
        for name, check in (("address", addresses.clean), ("name", clean_name)):
            try:
                setattr(self, name, check(getattr(self, name)))
            except ValidationError as fault:
                self.faults[name] = fault.messages[0]
        if trouble := self.stamp.fault_of(form_data.get("shown", "")):
            self.faults["form"] = trouble

    @property
    def ask(self) -> Ask:
        """Return what is asked."""
        lists = tuple(mailing_list for mailing_list in self.lists if mailing_list.pk in self.chosen)
        return Ask(lists=lists, opens=self.opens, clicks=self.clicks, name=self.name)


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
        return all(rate_limits.allow(key, rate=rate, burst=burst) for key, rate, burst in buckets)
    except rate_limits.LimitsUnavailable:
        return _asked_lately() < DATABASE_LIMIT


def _asked_lately() -> int:
    """Count the asks of the last minute among the newest events, without an index of its own."""
    newest = ConsentEvent.objects.order_by("-pk").values_list("act", "at")
    a_minute_ago = now() - timedelta(minutes=1)
    return sum(
        act == ConsentEvent.Act.ASKED and at > a_minute_ago
        for act, at in newest[:DATABASE_LOOKS_BACK]
    )


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the form; on POST ask by letter and answer alike whoever the address is (S-4)."""
    client = get_object_or_404(Client, slug=slug)
    languages.speak(client.locale)
    lists = list(client.lists.filter(is_public=True, archived_at=None))
    form = Form(client, lists)
    if request.method != "POST":
        return _show(request, form)
    form.read(request)
    if form.faults:
        return _show(request, form, status=422)
    if not request.POST.get(HONEYPOT):
        if not _may_ask(request, form.address):
            form.faults["form"] = gettext(
                "Too many sign-ups came from here. Please try again in an hour."
            )
            return _show(request, form, status=429)
        _ask(request, form)
    return render(request, "public/asked.html", {"client": client})


def _ask(request: HttpRequest, form: Form) -> None:
    """Ask, by the same steps for everybody; of somebody known to be under 13 nothing is kept."""
    is_child = suppression.stands(
        address=form.address, reason=Suppression.Reason.UNDER_13, client=form.client
    )
    with transaction.atomic():
        ask = consent.ask(
            client=form.client,
            address=form.address,
            ask=form.ask,
            provenance=provenance_of(request, Means.FORM),
        )
        letters.owe(registrant=ask.registrant, letter=Delivery.Letter.CONFIRM, asked_by=ask.pk)
        transaction.set_rollback(is_child)
    if is_child:
        letters.nudge()


def _show(request: HttpRequest, form: Form, status: int = 200) -> HttpResponse:
    lists = [
        (mailing_list, form.list_words[mailing_list.pk], mailing_list.pk in form.chosen)
        for mailing_list in form.lists
    ]
    return render(
        request,
        "public/sign_up.html",
        {
            "client": form.client,
            "form": form,
            "faults": form.faults,
            "lists": lists,
            "shown": form.stamp.signed,
            "honeypot": HONEYPOT,
        },
        status=status,
    )
