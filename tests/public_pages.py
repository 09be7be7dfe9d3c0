"""Every page a reader can see, by name, as its view answers."""

from collections.abc import Callable
from typing import Any

from django.template.loader import render_to_string
from django.test import Client as Reader

from newsletter import letters, links
from newsletter.models import Delivery
from registrants import languages
from registrants.models import ConsentEvent
from tests import mail_links
from tests.cast import Cast, make_client, make_list, make_sender

PSEUDO = "ar-xb"
HOUSE = ("unknown", "not-found")
"""Pages nobody's client answers: they are in the installation's language."""


def every_page(cast: Cast) -> dict[str, str]:
    """Return the pages readers of the cast's client are shown, and those of the house."""
    other = make_client(
        "A client with a very-long-name-that-has-no-place-to-break", "other", cast.client.locale
    )
    make_sender(other)
    make_list(cast.client, "Evenings", "evenings")
    reader = Reader(headers={"accept": "text/html"})
    ask = ConsentEvent.objects.get(registrant=cast.ben)
    letter = letters.owe(registrant=cast.ada, letter=Delivery.Letter.CHOICES, asked_by=1)
    over = Delivery.objects.create(registrant=cast.ada, letter="choices", asked_by=2)
    Delivery.objects.filter(pk=over.pk).update(created_at="2026-01-01T00:00:00Z")
    assert letter is not None
    yes, no = links.confirm("", ask.pk), links.never("", ask.pk)
    mine, old = links.choices("", letter.pk), links.choices("", over.pk)
    subscription = cast.ada.subscriptions.get().pk
    leave = mail_links.one_click("", subscription, 0)
    more = mail_links.preferences("", subscription, 0)
    typed = {"address": "a@@b", "name": "x" * 150, "opens": "yes"}
    answers: dict[str, Callable[[], Any]] = {
        "sign-up": lambda: reader.get("/s/heron/"),
        "sign-up-faults": lambda: reader.post("/s/heron/", typed),
        "sign-up-nothing": lambda: reader.get("/s/other/"),
        "confirm": lambda: reader.get(yes),
        "confirmed": lambda: reader.post(yes),
        "not-me": lambda: reader.get(no),
        "not-me-done": lambda: reader.post(no),
        "ask-is-over": lambda: reader.get(yes),
        "choices": lambda: reader.get(mine),
        "choices-saved": lambda: reader.post(mine, {"act": "grant:opens"}),
        "choices-fault": lambda: reader.post(mine, {"act": "name", "name": "www.x.example"}),
        "link-is-over": lambda: reader.get(old),
        "link-is-mailed": lambda: reader.post(old),
        "unsubscribe": lambda: reader.get(leave),
        "preferences": lambda: reader.get(more),
        "unsubscribed": lambda: reader.post(leave),
        "preferences-after": lambda: reader.get(more),
        "tested": lambda: reader.get(links.of_a_test("", cast.client.pk)),
        "unknown": lambda: reader.get("/y/unknown"),
        "not-found": lambda: reader.get("/nowhere/"),
    }
    shown = {name: answer().content.decode() for name, answer in answers.items()}
    with languages.speaking(cast.client.locale):
        shown["asked"] = render_to_string("public/asked.html", {"client": cast.client})
        for code in ("400", "403", "500"):
            shown[code] = render_to_string(f"{code}.html")
    return shown
