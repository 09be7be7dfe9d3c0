"""Everything readers are shown speaks their client's language (registrants.languages and above).

Mirrors several: newsletter/views, tracking/views, tracking/intake, newsletter/letters.py,
newsletter/content, registrants/wordings.py, templates/public.
The client's language is the pseudo-language: what is not bracketed there cannot be translated.
"""

import ast
import html
import re
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.template.loader import render_to_string
from django.test import Client as Reader
from django.utils.formats import date_format
from django.utils.translation import override
from pytest_django import Settings

from newsletter import letters, links
from newsletter.models import Delivery
from newsletter.views import stamp
from registrants import addresses, consent, preferences
from registrants.consent import Ask
from registrants.models import ConsentEvent, Subscription
from tests import mail_links
from tests.cast import FORM, Cast, make_cast, make_client
from tests.mail_as_read import letter_as_read, mailing_as_read
from tests.public_pages import HOUSE, PSEUDO, every_page
from tests.reading import Texts, raw_english
from tracking.intake import clicks, link_targets, opens
from tracking.views.preferences import ACTS

ROOT = Path(__file__).resolve().parents[1]
OWN = (
    "Heed",
    "Heron Books",
    "A client with a very-long-name-that-has-no-place-to-break",
    "New books",
    "Evenings",
    "the books we are glad arrived, once a week",
    "12 Mill Lane, Bath",
    "Reading account",
    "The address to sign in at changes.",
)
"""What the client wrote, and our own name."""


@pytest.fixture
def cast(db: None) -> Cast:
    """Return everybody, at a client that speaks the pseudo-language."""
    cast = make_cast(PSEUDO)
    cast.client.privacy_url = "https://heron.example.org/privacy"
    cast.client.save()
    return cast


def page_faults(page: str) -> list[str]:
    return raw_english(" ".join(Texts(page).texts), OWN)


def is_right_to_left(page: str) -> bool:
    return f'lang="{PSEUDO}" dir="rtl"' in page


def test_every_page_of_a_client_speaks_its_language(cast: Cast) -> None:
    pages = {name: page for name, page in every_page(cast).items() if name not in HOUSE}
    assert {name: faults for name, page in pages.items() if (faults := page_faults(page))} == {}
    assert [name for name, page in pages.items() if not is_right_to_left(page)] == []


def test_the_pages_of_the_house_speak_the_language_of_the_installation(
    cast: Cast, settings: Settings
) -> None:
    english = every_page(cast)
    assert all('lang="en" dir="ltr"' in english[name] for name in HOUSE)
    settings.LANGUAGE_CODE = PSEUDO
    reader = Reader()
    pages = [
        reader.get("/y/unknown").content.decode(),
        reader.get("/nowhere/").content.decode(),
        *(render_to_string(f"{code}.html") for code in ("400", "403", "404", "500")),
    ]
    for page in pages:
        assert page_faults(page) == []
        assert is_right_to_left(page)


@pytest.mark.parametrize("act", [*ACTS, "", "something else"])
def test_every_act_of_the_preferences_is_answered_in_the_client_s_language(
    cast: Cast, act: str
) -> None:
    Subscription.objects.filter(registrant=cast.ada).update(paused_until=None)
    path = mail_links.preferences("", cast.ada.subscriptions.get().pk, 0)
    for _ in range(2):
        page = Reader().post(path, {"act": act}).content.decode()
        assert 'role="status"' in page
        assert page_faults(page) == []


def test_what_an_erased_or_unknown_person_is_told_is_translatable(cast: Cast) -> None:
    dov = (
        Reader()
        .get(mail_links.preferences("", cast.dov.subscriptions.get().pk, 0))
        .content.decode()
    )
    assert page_faults(dov) == []


CHOICES = (
    *(("name", name) for name in ("Ada", "x" * 150, "a\u202eb", "www.x.example")),
    *((f"{act}:{kind}", "") for act in ("grant", "refuse") for kind in ("opens", "clicks")),
    *((act, "") for act in ("join", "leave", "join:0", "nothing")),
)


@pytest.mark.parametrize(("act", "name"), CHOICES)
def test_every_choice_is_answered_in_the_client_s_language(cast: Cast, act: str, name: str) -> None:
    letter = letters.owe(registrant=cast.ada, letter=Delivery.Letter.CHOICES, asked_by=1)
    assert letter is not None
    if act in ("join", "leave"):
        act = f"{act}:{cast.mailing_list.pk}"
    answer = Reader().post(links.choices("", letter.pk), {"act": act, "name": name})
    assert page_faults(answer.content.decode()) == []


def test_every_fault_of_a_sign_up_is_told_in_the_client_s_language(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, path = Reader(), f"/s/{cast.client.slug}/"
    chosen = {"address": "gus@example.net", "list": str(cast.mailing_list.pk)}
    shown = reader.get(path).content.decode().split('name="shown" value="')[1].split('"')[0]
    attempts: list[dict[str, Any]] = [
        {},
        {"address": "a b", "list": "0"},
        chosen | {"shown": "forged"},
        chosen | {"shown": html.unescape(shown)},
        chosen | {"address": f"{'x' * 64}@{'y' * 250}.example"},
    ]
    for typed in attempts:
        page = reader.post(path, typed)
        assert (page.status_code, page_faults(page.content.decode())) == (422, [])
    monkeypatch.setattr(stamp, "FASTEST", 0.0)
    monkeypatch.setattr("newsletter.views.sign_up._may_ask", lambda *_: False)
    page = reader.post(path, chosen | {"shown": html.unescape(shown)})
    assert (page.status_code, page_faults(page.content.decode())) == (429, [])


def test_a_machine_that_unsubscribes_is_answered_alike(cast: Cast) -> None:
    path = mail_links.one_click("", cast.ada.subscriptions.get().pk, 0)
    assert raw_english(Reader().post(path).content.decode(), OWN) == []


def test_a_day_is_written_as_the_client_s_language_writes_it(cast: Cast) -> None:
    path = mail_links.preferences("", cast.ada.subscriptions.get().pk, 0)
    foreign = Reader().post(path, {"act": "pause_30"}).content.decode()
    until = cast.ada.subscriptions.get().paused_until
    assert until is not None
    with override("ar"):
        assert foreign.count(date_format(until, "DATE_FORMAT")) == 2


def test_the_proof_is_what_was_read(cast: Cast) -> None:
    """A wording is stored in the words and the language of the page it stood on."""
    page = unescape(Reader().get(f"/s/{cast.client.slug}/").content.decode())
    ask = consent.ask(
        client=cast.client,
        address="gus@example.net",
        ask=Ask(lists=(cast.mailing_list,), opens=True, clicks=True),
        provenance=FORM,
    )
    confirm = unescape(Reader().get(links.confirm("", ask.pk)).content.decode())
    for event in ConsentEvent.objects.filter(registrant=ask.registrant):
        assert event.wording is not None
        assert event.wording.locale == PSEUDO
        assert event.wording.text.startswith("⟦")
        assert event.wording.text in page
        assert event.wording.text in confirm


def test_a_new_language_is_a_new_wording_and_the_old_proof_stands(db: None) -> None:
    cast = make_cast()
    old = ConsentEvent.objects.get(registrant=cast.ben)
    cast.client.locale = PSEUDO
    cast.client.save()
    page = Reader().get(links.confirm("", old.pk)).content.decode()
    assert is_right_to_left(page)
    assert old.wording is not None
    assert old.wording.text in unescape(page)


def mail_faults(mail: EmailMessage, *own: str) -> list[str]:
    plain, page = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert page is not None
    assert f'lang="{PSEUDO}" dir="rtl"' in page.get_content()
    return [
        *raw_english(str(mail["Subject"]), (*OWN, *own)),
        *raw_english(plain.get_content(), (*OWN, *own)),
        *raw_english(" ".join(Texts(page.get_content()).texts), (*OWN, *own)),
    ]


@pytest.mark.parametrize("letter", Delivery.Letter.values)
def test_every_letter_speaks_the_client_s_language(cast: Cast, letter: str) -> None:
    ask = ConsentEvent.objects.get(registrant=cast.ben)
    more = Ask(lists=(cast.mailing_list,), opens=True, clicks=True)
    if letter == Delivery.Letter.CONFIRM:
        ask = consent.ask(client=cast.client, address="gus@example.net", ask=more, provenance=FORM)
    delivery = Delivery.objects.create(
        registrant=ask.registrant, letter=letter, asked_by=ask.pk, mailing=None
    )
    mail = letter_as_read(delivery)
    assert mail_faults(mail) == []
    assert str(mail["Subject"]).startswith("⟦")


def test_more_asks_than_a_letter_lists_are_counted_in_its_language(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "ASKED_MOST", 1)
    ask = consent.ask(
        client=cast.client,
        address="gus@example.net",
        ask=Ask(lists=(cast.mailing_list,), opens=True, clicks=True),
        provenance=FORM,
    )
    delivery = Delivery.objects.create(registrant=ask.registrant, letter="confirm", asked_by=ask.pk)
    assert "2" in letters.letter_values(delivery)["asked"].splitlines()[-1]
    assert mail_faults(letter_as_read(delivery)) == []


@pytest.mark.parametrize("body_format", ["markdown", "html", "mjml"])
@pytest.mark.parametrize("kind", ["campaign", "notice"])
def test_the_words_around_a_mailing_speak_the_client_s_language(
    cast: Cast, kind: str, body_format: str
) -> None:
    body = "Only the client wrote this."
    if body_format == "mjml":
        body = f"<mj-section><mj-column><mj-text>{body}</mj-text></mj-column></mj-section>"
    make: Callable[..., Any] = cast.campaign if kind == "campaign" else cast.notice
    mailing = make(subject="What the client wrote", body=body, body_format=body_format)
    mail = mailing_as_read(mailing)
    assert mail_faults(mail, "Only the client wrote this.", "What the client wrote") == []
    page = mail.get_body(("html",))
    assert page is not None
    assert page.get_content().count("⟦") == (3 if kind == "campaign" else 1)


def test_two_clients_in_two_languages_get_each_their_own(cast: Cast) -> None:
    """The worker keeps renderers by their source, and the language is part of it."""
    english = make_client("Other", "other")
    cast.sender.pk, cast.sender.client = None, english
    cast.sender.save()
    sources = [letters.source(client, "choices") for client in (cast.client, english)]
    assert [source.locale for source in sources] == [PSEUDO, "en"]
    assert sources[0].body.startswith("⟦")
    assert sources[1].body.startswith("Here is the link")


def answer(path: str, method: str = "GET") -> str:
    environ = {"REQUEST_METHOD": method, "PATH_INFO": path}
    app = clicks if path.startswith(clicks.CLICK_PATH) else opens
    return b"".join(app.answer(environ, lambda *_: None)).decode()


def test_the_plain_answers_speak_the_language_of_the_installation(
    db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(link: int) -> None:
        raise link_targets.TargetsUnavailable

    settings.LANGUAGE_CODE = PSEUDO
    pages = [answer("/l/unknown"), answer("/l/unknown", "POST"), answer("/i/unknown", "POST")]
    monkeypatch.setattr(link_targets.MAP, "target", away)
    pages.append(answer(mail_links.click("", 1, 1)))
    staff = Reader().get("/admin/", HTTP_HOST="elsewhere.example")
    assert raw_english(staff.content.decode(), OWN) == []
    for page in pages:
        assert is_right_to_left(page)
        assert page_faults(page) == []


def test_what_forms_refuse_is_told_in_the_language_spoken() -> None:
    with override(PSEUDO):
        for check, text in ((addresses.clean, "a@@b"), (preferences.clean_name, "x" * 999)):
            with pytest.raises(ValidationError) as refused:
                check(text)
            assert raw_english(refused.value.messages[0], OWN) == []


SPEAKING = (
    *sorted((ROOT / "newsletter" / "views").glob("*.py")),
    *sorted((ROOT / "tracking" / "views").glob("*.py")),
    *(ROOT / "tracking" / "intake" / f"{name}.py" for name in ("clicks", "opens", "responses")),
    *(ROOT / "registrants" / f"{name}.py" for name in ("preferences", "wordings", "token_pages")),
    ROOT / "newsletter" / "letters.py",
    ROOT / "newsletter" / "mailings" / "source.py",
)
"""Modules whose sentences readers read."""
SENTENCE = re.compile(r"\A[A-Z“].* .*[.?:!]\s*\Z|Please|\b[Yy]ou\b", re.DOTALL)


def sentences(node: ast.AST) -> Iterator[str]:
    """Return what reads like a sentence outside of gettext, docstrings and complaints to us."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call) and "gettext" in ast.unparse(child.func):
            continue
        is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
        if is_docstring or "NoSender(" in ast.unparse(child).partition("\n")[0]:
            continue
        parts = child.values if isinstance(child, ast.JoinedStr) else [child]
        text = "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
        if SENTENCE.search(text):
            yield text
        if not isinstance(child, ast.JoinedStr):
            yield from sentences(child)


@pytest.mark.parametrize("path", SPEAKING, ids=lambda path: path.stem)
def test_no_sentence_to_a_reader_stands_outside_of_gettext(path: Path) -> None:
    assert list(sentences(ast.parse(path.read_text()))) == []


TEMPLATES = [*(ROOT / "templates" / "public").glob("*.html"), *(ROOT / "templates").glob("*.html")]
TRANSLATED = re.compile(
    r"{% blocktranslate.*?{% endblocktranslate %}|{%.*?%}|{{.*?}}|<[^>]*>", re.DOTALL
)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_no_text_of_a_reader_s_page_stands_outside_of_a_translation(path: Path) -> None:
    assert re.findall(r"[A-Za-z]{2,}", TRANSLATED.sub(" ", path.read_text())) in ([], ["Heed"])


def test_the_finder_of_english_finds_it() -> None:
    assert raw_english("⟦Šîĝñ ûþ نص⟧ Heron Books", OWN) == []
    assert raw_english("Sign up", OWN) == ["Sign", "up", "Sign", "up"]
    assert raw_english("⟦Sign ûþ⟧", OWN) == ["Sign"]
    assert raw_english("⟦ûþ⟧ نص", OWN) == ["نص"]
    code = "return gettext('You are.') + 'Your name is saved.' + f'You left {name}.'"
    assert list(sentences(ast.parse(code))) == ["Your name is saved.", "You left ."]
    assert Texts('<p title="a">b<script>c</script><img alt="d"></p>').texts == ["a", "b", "d"]
