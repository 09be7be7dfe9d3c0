"""No staff page answers 500 to anything somebody types into its address, its filters or its forms.

Mirrors several: config/urls.py, config/middleware.py.
"""

import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode
from zlib import crc32

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver

from newsletter.delivery import staging
from newsletter.mailings import lifecycle
from newsletter.models import Template
from tests.cast import Cast

pytestmark = pytest.mark.django_db
ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ("accountability", "local", "newsletter", "registrants", "tracking")
IS_LONG: Final = os.environ.get("HEED_FAULTS") == "long"
"""Every value in every place; else each place gets two, others at each place."""
AT_EACH_PLACE: Final = 1
FILTERS_ASKED: Final = 6
"""Of the names a list may be narrowed by, those tried in the everyday run."""
SHARDS: Final = 4
FIELDS_AT_ONCE: Final = 40
HOSTILE: Final = (
    *(
        "²",
        "٣",
        "-1",
        "0",
        "1" + "0" * 30,
        "9" * 5_000,
        "9223372036854775808",
        "2147483648",
        "1e3",
        "NaN",
    ),
    *("", " ", "\0", "a\0b", "%00", "'", '"><b>', "'; --", "{{ 5 | divided_by: 0 }}", "{% if"),
    *("__proto__", "🦆" * 40, "\u202eabc\u202c", "x" * 100_000, "[]", "1,2", "../..", "a=b&c"),
    *("0000-00-00", "0000-01-01T00:00", "10000-01-01T00:00", "9999-12-31T23:59", "2026-02-30"),
    *("0001-01-01", "9999-12-31", "25:61", "\ud800", "\udcff", "True", "None", "\r\nX: y"),
    *("pk__in", "client__password", "-1.2.3", "..", "1.²", "http://[", "a@b@c", "\ufeff"),
)
NAMES: Final = (
    *("q", "o", "p", "all", "e", "_popup", "_to_field", "_changelist_filters", "_facets", "next"),
    *("app_label", "model_name", "field_name", "term", "page", "client", "sender", "id", "pk"),
    *("action", "_selected_action", "index", "select_across", "_save", "_continue", "_saveasnew"),
    *("form-TOTAL_FORMS", "form-INITIAL_FORMS", "form-0-id", "list_editable", "post"),
)
ASKED: Final = re.compile(
    r"""(?:GET|POST|form_data|typed|data)(?:\.get(?:list)?\(|\[)\s*"(\w+)\""""
)


class Fields(HTMLParser):
    """The names of a page's fields, and what stands in them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.names: set[str] = set()
        self._area = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field in."""
        values = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.names |= set(re.findall(r"[?&;](\w+)=", values.get("href", "")))
        if tag in ("input", "select", "textarea", "button") and values.get("name"):
            self.names.add(values["name"])
            if values.get("type") not in ("checkbox", "radio", "submit") and tag != "button":
                self.fields[values["name"]] = values.get("value", "")


def addresses() -> list[str]:
    """Return the route of every staff page, as it stands in the URLconf."""

    def below(patterns: list[Any], before: str) -> Iterator[str]:
        for pattern in patterns:
            route = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from below(pattern.url_patterns, route)
            elif isinstance(pattern, URLPattern):
                yield route

    routes = below(get_resolver().url_patterns, "")
    return sorted({route for route in routes if route.startswith("admin/")})


ADDRESSES: Final = addresses()
PLACE: Final = re.compile(r"<(?:(?P<kind>\w+):)?(?P<name>\w+)>|\(\?P<(?P<group>\w+)>[^)]*\)")


def filled(route: str, values: dict[str, str]) -> str:
    """Return a path with its places filled; what is not named is 1."""

    def one(place: re.Match[str]) -> str:
        return values.get(place["name"] or place["group"], "1")

    path = PLACE.sub(one, route.removesuffix("\\Z").removesuffix("$").lstrip("^"))
    return "/" + path.replace("^", "").replace("\\", "").replace(".*", "x")


def some(*place: str) -> tuple[str, ...]:
    """Return the values for one place: all of them, or a few that differ from place to place."""
    if IS_LONG:
        return HOSTILE
    start = crc32(" ".join(place).encode())
    return tuple(HOSTILE[(start + 17 * index) % len(HOSTILE)] for index in range(AT_EACH_PLACE))


def batched(names: list[str]) -> list[list[str]]:
    """Return names some at a time, each alone where there is time for it."""
    size = 1 if IS_LONG else FIELDS_AT_ONCE
    return [names[at : at + size] for at in range(0, len(names), size)]


def asked_names() -> set[str]:
    """Return every parameter the code reads by its name."""
    names: set[str] = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            names |= set(ASKED.findall(path.read_text()))
    return names


ASKED_NAMES: Final = sorted(asked_names())


def filters_of(route: str) -> set[str]:
    """Return what the list of a model may be filtered by: its fields, and its filters' names."""
    match = re.fullmatch(r"admin/(\w+)/(\w+)/", route)
    if match is None:
        return set(NAMES) if "autocomplete" in route or "jsi18n" in route else set()
    if match[1] not in apps.app_configs:
        return set()
    model = apps.get_model(match[1], match[2])
    fields = {field.attname for field in model._meta.concrete_fields}
    listed = admin.site._registry[model].list_filter
    names = {str(one[0] if isinstance(one, tuple) else one) for one in listed if one}
    return (
        set(NAMES)
        | {f"{name}{way}" for name in names for way in ("", "__exact", "__id__exact", "__in")}
        | {f"{name}{way}" for name in sorted(fields)[:4] for way in ("", "__gt", "__isnull")}
    )


@pytest.fixture
def objects(cast: Cast) -> dict[str, str]:
    """Return something real for each place of an address, by model."""
    Template.objects.create(client=cast.client, name="Own", format="html", source="{{ content }}")
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    draft, notice = cast.campaign(), cast.notice()
    return {"campaign": str(draft.pk), "notice": str(notice.pk), "report": str(campaign.pk)}


@pytest.fixture
def owner(cast: Cast) -> Browser:
    """Return the browser of somebody who may open every page."""
    browser = Browser(raise_request_exception=True)
    browser.force_login(User.objects.create_superuser("owner", "owner@example.org", "x"))
    return browser


def real(route: str, objects: dict[str, str]) -> dict[str, str]:
    """Return values for the places of a route that lead to a page that is there."""
    match = re.match(r"admin/(\w+)/(\w+)/", route)
    pk = "1"
    if match and (match[1], match[2]) in {
        (model._meta.app_label, model._meta.model_name) for model in admin.site._registry
    }:
        row = apps.get_model(match[1], match[2])._default_manager.order_by("pk").first()
        pk = objects.get(match[2], str(row.pk) if row else "1")
    return {"object_id": pk, "pk": pk, "id": pk, "part": "html", "move": "pause", "mailing": pk}


class Knocking:
    """Requests that leave nothing behind, and what answered 500."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.faults: list[str] = []
        self.count = 0

    def ask(self, path: str, method: str = "GET", **typed: str) -> bytes:
        """Send one request; note the address and the value where it was too much for the page."""
        self.count += 1
        query = urlencode(typed, errors="surrogatepass")
        try:
            with transaction.atomic():
                if method == "GET":
                    answer = self.browser.get(path, QUERY_STRING=query)
                else:
                    kind = "application/x-www-form-urlencoded"
                    answer = self.browser.post(path, query, content_type=kind)
                transaction.set_rollback(True)
        except Exception as fault:
            shown = {name: value[:60] for name, value in typed.items()}
            self.faults.append(f"{method} {path} {shown}: {type(fault).__name__}: {fault}"[:400])
            return b""
        if answer.status_code >= 500:
            self.faults.append(f"{method} {path} {str(typed)[:200]}: {answer.status_code}")
        return b"" if answer.streaming else bytes(answer.content)


@pytest.mark.timeout(3_600 if IS_LONG else 120)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_no_staff_page_answers_500_to_a_typed_value(
    cast: Cast, owner: Browser, objects: dict[str, str], valkey: object, shard: int
) -> None:
    """The places of its address, its GET parameters and the fields it posts."""
    knocking = Knocking(owner)
    for route in ADDRESSES[shard::SHARDS]:
        walk(route, real(route, objects), knocking)
    assert knocking.faults == []


def walk(route: str, places: dict[str, str], knocking: Knocking) -> None:
    """Type hostile values into every place of one page."""
    path = filled(route, places)
    page = Fields(knocking.ask(path).decode(errors="replace"))
    for name in (place["name"] or place["group"] for place in PLACE.finditer(route)):
        for value in some(route, name):
            typed = quote(value[:2000], safe="", errors="surrogatepass")
            for method in ("GET", "POST") if IS_LONG else ("GET",):
                knocking.ask(filled(route, {**places, name: typed}), method)
    for value in some(route):
        plain = [name for name in NAMES if not name.startswith("_")]
        typed_everywhere = dict.fromkeys([*ASKED_NAMES, *plain, *page.fields], value)
        knocking.ask(path, **typed_everywhere)
        knocking.ask(path, "POST", **typed_everywhere)
    filters = sorted(filters_of(route))
    for name in filters if IS_LONG else filters[:: max(1, len(filters) // FILTERS_ASKED)]:
        for value in some(route, name):
            knocking.ask(path, **{name: value})
    for together in batched(sorted(page.fields.keys() - {"csrfmiddlewaretoken"})):
        for value in some(route, *together):
            knocking.ask(path, "POST", **page.fields | dict.fromkeys(together, value))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/newsletter/template/²/change/", 302),
        ("/admin/newsletter/campaign/²/change/", 302),
        ("/admin/newsletter/sender/%00/change/", 400),
        ("/admin/newsletter/campaign/add/?client=abc", 200),
        ("/admin/newsletter/campaign/add/?client=²&sender=²&subject=%F0%9F%A6%86", 200),
        ("/admin/newsletter/notice/add/?service=x&client=99999999999999999999", 200),
        ("/admin/newsletter/campaign/?p=abc", 200),
        ("/admin/newsletter/campaign/?page=abc", 400),
        ("/admin/newsletter/campaign/?state__exact=a%00b", 400),
        ("/admin/registrants/assignment/?role__in=%00", 400),
    ],
)
def test_odd_addresses_have_their_answer(owner: Browser, path: str, status: int) -> None:
    """Those found by hand; what is not there leads home, as Django has it."""
    assert owner.get(path).status_code == status


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("auth/user", "password__startswith=a"),
        ("auth/user", "first_name=x"),
        ("newsletter/sender", "credentials__isnull=0"),
        ("newsletter/campaign", "compiled=x"),
        ("newsletter/campaign", "client__link_host__gt=a"),
        ("registrants/registrant", "address_hash=1"),
        ("registrants/registrant", "address__startswith=a"),
    ],
)
def test_a_list_is_narrowed_by_its_filters_alone(owner: Browser, page: str, query: str) -> None:
    """A column nobody offers is not asked letter by letter, and cannot be asked what breaks it."""
    assert owner.get(f"/admin/{page}/?{query}").status_code == 400


def test_a_sender_typed_as_something_else_is_none(
    cast: Cast, owner: Browser, valkey: object
) -> None:
    """The draft keeps its own, and the preview answers."""
    campaign = cast.campaign()
    for value in ("²", "9" * 5_000, "-1", "\0", "abc"):
        form_data = {"sender": value, "mailing_list": value, "template": value, "body": value}
        answer = owner.post(f"/admin/newsletter/campaign/{campaign.pk}/unsaved/", form_data)
        assert answer.status_code == 200
