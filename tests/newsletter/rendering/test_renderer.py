"""Bytes made per person: every point of the standards, checked with an independent parser."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter import links
from newsletter.content.compiling import CompiledMail, compile_mail
from newsletter.rendering.inert_preview import preview
from newsletter.rendering.renderer import Renderer, Unrenderable
from registrants import tokens
from registrants.tokens import Scope
from tests.newsletter import mails
from tests.newsletter.mails import BASE, ada, parsed, part, ready, slowly

EVERY_SLOT = """
# Hello {{ registrant.name | default: "A & B" }}

{% if registrant.vip %}
Dear {{ registrant.name }}, [for you](https://shop.example/vip) alone.
{% elsif registrant.city == "Rome" %}
Ciao.
{% else %}
Welcome {{ registrant.name | upcase | truncate: 30 }}.
{% endif %}

{% for tag in registrant.tags %}
- {{ tag }} [more](https://shop.example/tag)
{% endfor %}

[Shop](https://shop.example/?a=1&b=2)
[Yours](https://shop.example/u/{{ registrant.name }}?c={{ registrant.city }})
[Site]({{ registrant.site }}) .{{ registrant.city }}
![a picture for {{ registrant.name }}](https://img.example/a.png)
{% case registrant.city %}{% when "Rome" %}When in Rome{% else %}Elsewhere{% endcase %}

Bye {{ registrant.missing }}{{ client.name }}.
"""

STATEFUL = (
    "{% assign who = registrant.name | default: 'you' %}\n\nHi {{ who }} [a](https://a.example/)"
)
HOSTILE = [
    "Ada", "", ".", "..", "...dot", "=", "=3D", "a=\r\nb", "x\r\nBcc: eve@e.org", "\n.\n",
    "<script>alert(1)</script>", '"quoted" \'single\'', "&amp; &", "עדה לאבלייס", "\u202egnp.exe",
    "👩\u200d🚀 Ada",
    "{{ client.name }}", "{% raw %}", "%recipient.name%", "*|FNAME|*", "--=_x", "a" * 10_240,
    "é" * 10_240, "." * 10_240, " lead", "trail ",
    "tab\there", "\x00\x07\x1b[31m", "\u2028\u2029\x85",
    "=?utf-8?q?x?=", "a, b; c:d@e", "From me", "ﷺ" * 400, "\t", "javascript:alert(1)",
]  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(max_size=200),
    st.text(alphabet=".= \r\n\t<>&\"'é\x00a", max_size=200),
)
VALUES = st.one_of(NAMES, st.none(), st.booleans(), st.integers(), st.lists(NAMES, max_size=3))
ADDRESSES = st.sampled_from(
    ["ada@example.org", "a.b+c'd@example.org", "ada@bücher.example", "ada@xn--bcher-kva.example",
     f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example.org"]
)  # fmt: skip
FORMS: list[dict[str, Any]] = [
    {"body": EVERY_SLOT},
    {"body": STATEFUL},
    {"body": "<p title='{{ registrant.name }}'>{{ registrant.name }}</p>", "body_format": "html"},
    {
        "body": "<mj-section><mj-column><mj-text>Hi {{ registrant.name }}</mj-text>"
        '<mj-button href="https://a.example/?n={{ registrant.city }}">Go</mj-button>'
        '<mj-button href="https://a.example/">Go</mj-button></mj-column></mj-section>',
        "body_format": "mjml",
    },
]
RENDERERS = [
    ready(subject="For {{ registrant.name | default: 'you' }}: {{ registrant.city }}", **form)
    for form in FORMS
]


@given(
    st.sampled_from(RENDERERS),
    NAMES,
    ADDRESSES,
    st.fixed_dictionaries({}, optional=dict.fromkeys(("city", "site", "vip", "tags"), VALUES)),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=120, deadline=None)
def test_spliced_bytes_parse_to_what_the_slow_obvious_way_builds(
    renderer: Renderer,
    name: str,
    address: str,
    attributes: dict[str, Any],
    opens: bool,
    clicks: bool,
) -> None:
    """M-1, AT-M1 (docs/architecture.md, "The line"): what lets the fast way exist."""
    person = ada(name=name, address=address, attributes=attributes, opens=opens, clicks=clicks)
    fast = renderer.render(person)
    slow = slowly(renderer.compiled, person, mailing=7, link_ids=renderer.link_ids)
    one, other = parsed(fast), parsed(slow)
    assert one["Subject"] == other["Subject"].replace("=\u200b?", "=?")
    for field in ("To", "Message-ID", "List-Unsubscribe"):
        assert one.get_all(field) == other.get_all(field)
    assert [mime_part.get_content_type() for mime_part in one.walk()] == [
        mime_part.get_content_type() for mime_part in other.walk()
    ]
    for kind in ("plain", "html"):
        assert part(one, kind) == part(other, kind)
    assert_well_made(fast)


def assert_well_made(data: bytes) -> None:
    """Check what no parser tells: line ends, line lengths, dots, bare control characters."""
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", data) is None
    assert re.search(rb"[^\x20-\x7e\r\n\t]", data) is None
    head, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert not re.search(rb"(?m)^\.", body)
    longest = max(head.split(b"\r\n"), key=len)
    assert len(longest) <= 78 or longest.startswith((b"List-Unsubscribe: <https://", b" "))
    assert len(longest) <= 998


def test_every_header_stands_exactly_once() -> None:
    """M-2, U-1, U-8: duplicates are rejected by receivers."""
    message = parsed(ready().render(ada()))
    names = [name.lower() for name in message]
    wanted = (
        "from to reply-to subject date message-id mime-version list-unsubscribe list-id list-help"
        " list-unsubscribe-post list-post feedback-id x-auto-response-suppress content-type"
    )
    assert sorted(names) == sorted(wanted.split())


def test_the_unsubscribe_header_is_literal_short_and_signed() -> None:
    """U-1 to U-6, AT-U5: one https URI ≤ 75 characters on one line, never encoded."""
    data = ready().render(ada())
    line = next(line for line in data.split(b"\r\n") if line.startswith(b"List-Unsubscribe:"))
    header = re.fullmatch(rb"List-Unsubscribe: <(https://m\.example\.org/u/([\w-]{34}))>", line)
    assert header
    assert len(header[1]) <= 75
    assert tokens.read(Scope.UNSUBSCRIBE, header[2].decode()) == (11, 7)
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in data


def test_the_longest_link_host_still_gives_75_characters() -> None:
    """U-4: 28 characters of host."""
    base = "https://" + "m" * 16 + ".example.org"
    assert len(base) == 36
    data = ready(link_base=base).render(ada())
    urls = re.findall(r"https://m{16}[^\s\"<>)]+", part(data, "html")) + re.findall(
        r"<(https:[^>]+)>", str(parsed(data)["List-Unsubscribe"])
    )
    assert urls
    assert max(map(len, urls)) <= 75


def test_list_fields_name_the_list_and_the_kind_never_the_person() -> None:
    """U-9, U-10, U-11."""
    one, other = (parsed(ready().render(ada(delivery=n, address=f"a{n}@e.org"))) for n in (1, 2))
    assert one["List-Id"] == "News <news.client.example>"
    assert one["List-Help"] == "<mailto:help@client.example>"
    assert one["List-Post"] == "NO"
    assert one["Feedback-ID"] == other["Feedback-ID"] == "m7:c1:campaign:heedmail"


def test_message_ids_are_unique_and_of_the_clients_domain() -> None:
    """M-3, AT-M4."""
    renderer = ready()
    message_ids = {str(parsed(renderer.render(ada(delivery=n)))["Message-ID"]) for n in range(300)}
    assert len(message_ids) == 300
    assert all(one.endswith("@client.example>") for one in message_ids)


def test_the_date_is_that_of_the_moment_a_person_is_rendered() -> None:
    """M-16: not that of compiling the mailing."""
    renderer = ready()
    for day in (3, 4):
        moment = datetime(2027, 3, day, 9, 30, 15, tzinfo=UTC)
        with time_machine.travel(moment, tick=False):
            assert parsed(renderer.render(ada()))["Date"].datetime == moment


def test_one_visible_recipient_with_its_domain_as_a_label() -> None:
    """M-4, M-10, AT-M3."""
    message = parsed(ready().render(ada(address="ada@bücher.example")))
    assert message["To"] == "ada@xn--bcher-kva.example"
    assert len(message["To"].addresses) == 1
    assert not message["Cc"]
    assert not message["Bcc"]


@pytest.mark.parametrize(
    "address",
    ["", "ada", "a@b@c", "ada@example.org\r\nBcc: e@example.org", "ada@example.org,eve@example.org",
     "ädä@example.org", "ada @example.org", "<ada@example.org>", "ada@example.org\x00",
     "a@" + "b" * 260],
)  # fmt: skip
def test_what_is_not_one_address_is_never_put_in_a_header(address: str) -> None:
    """M-5, S-7."""
    with pytest.raises(Unrenderable):
        ready().render(ada(address=address))


@pytest.mark.parametrize("code", [*range(32), *range(127, 160), 0x2028, 0x2029])
def test_control_characters_in_a_merge_value_reach_neither_header_nor_body(code: int) -> None:
    """AT-M2 for merge fields: they are taken out, and nothing can be injected."""
    renderer = ready(subject="Hi {{ registrant.name }}!", body="({{ registrant.name }})")
    data = renderer.render(ada(name=f"Ada{chr(code)}Bcc: eve@example.org"))
    message = parsed(data)
    assert message["Bcc"] is None
    assert message["Subject"] == re.sub(r"\s+", " ", str(message["Subject"]))
    assert str(message["Subject"]).startswith("Hi Ada")
    for kind in ("plain", "html"):
        kept = set(part(message, kind)) & {chr(code)}
        assert kept <= {"\n", "\t"} & {chr(code)} | ({"\n"} if chr(code) == "\n" else set())
    assert_well_made(data)


def test_the_text_comes_first_and_shows_real_addresses_and_the_way_out() -> None:
    """M-7, AT-M5, U-26."""
    data = ready().render(ada())
    message = parsed(data)
    kinds = [mime_part.get_content_type() for mime_part in message.iter_parts()]
    assert kinds == ["text/plain", "text/html"]
    assert [one["Content-Transfer-Encoding"] for one in message.iter_parts()] == [
        "quoted-printable"
    ] * 2
    text = part(message, "plain")
    assert "our shop <https://shop.example/?a=1&b=2>" in text
    assert "1 High Street\nLondon" in text
    assert re.search(r"Unsubscribe <https://m\.example\.org/p/[\w-]{34}>", text)
    assert "/l/" not in text
    assert "/i/" not in text


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("clicks", [True, False])
@pytest.mark.parametrize("form", FORMS)
def test_pixel_and_rewritten_links_only_where_granted(
    form: dict[str, Any], opens: bool, clicks: bool
) -> None:
    """L-44, L-48, AT-L6: a byte search in the decoded parts, whatever the body is written in."""
    renderer = ready(**form)
    person = ada(opens=opens, clicks=clicks, attributes={"vip": True, "tags": ["a"]})
    html = part(renderer.render(person), "html")
    assert (f"{BASE}/i/" in html) is opens
    assert (f"{BASE}/l/" in html) is (clicks and bool(renderer.compiled.links))
    assert f'href="{BASE}/p/' in html
    for url in renderer.compiled.links:
        assert (f'href="{url.replace("&", "&amp;")}"' in html) is not clicks


def test_each_position_has_its_own_click_token_for_this_delivery() -> None:
    """S-2: the token names delivery and link; the target stays with us."""
    body = "[a](https://a.example/) [b](https://b.example/) [a again](https://a.example/)"
    renderer = ready(body=body)
    assert [url[8] for url in renderer.compiled.links] == ["a", "b", "a"]
    html = part(renderer.render(ada()), "html")
    link_tokens = re.findall(rf"{BASE}/l/([\w-]{{34}})", html)
    assert [tokens.read(Scope.CLICK, one) for one in link_tokens] == [(41, 1), (41, 2), (41, 3)]


def test_the_pixel_stands_early_with_size_one_and_an_empty_alt() -> None:
    """M-6, M-13, O-6: inside the first 90 kB, before the footer."""
    html = part(ready(body="Long text. " * 9000).render(ada()), "html")
    pixel = re.search(rf'<img src="{BASE}/i/([\w-]{{34}})" width="1" height="1" alt=""', html)
    assert pixel
    assert pixel.start() < 90_000
    assert pixel.start() < html.index("1 High Street")
    assert tokens.read(Scope.PIXEL, pixel[1]) == (41, 0)


def test_personal_and_own_links_and_mail_and_telephone_are_never_rewritten() -> None:
    """L-48 (docs/architecture.md, "Tracked only where allowed")."""
    body = (
        "[me](https://shop.example/?n={{ registrant.name }}) [m](mailto:a@b.example) [t](tel:+4412)"
        f" [way out]({{{{ unsubscribe_url }}}}) [ours]({BASE}/s/client/)"
    )
    renderer = ready(body=body)
    assert renderer.compiled.links == []
    assert renderer.compiled.personal_links == ["https://shop.example/?n={{ registrant.name }}"]
    html = part(renderer.render(ada(name="A&B c")), "html")
    assert 'href="https://shop.example/?n=A%26B%20c"' in html
    assert 'href="mailto:a@b.example"' in html
    assert f'href="{BASE}/s/client/"' in html


@pytest.mark.parametrize(
    "value",
    ["javascript:alert(1)", " JavaScript:alert(1)", "java\tscript:alert(1)", "data:text/html,x",
     "vbscript:x", "\x01javascript:alert(1)", "javascript\n:alert(1)"],
)  # fmt: skip
def test_a_merge_value_brings_no_acting_scheme_into_a_link(value: str) -> None:
    """S-6."""
    renderer = ready(body="[x]({{ registrant.site }})")
    html = part(renderer.render(ada(attributes={"site": value})), "html")
    assert not re.search(r'href="\s*(java|vb|data)[^"]*:', html, re.IGNORECASE)


def test_a_service_notice_has_no_list_fields() -> None:
    """U-13, M-8: never tracked is the caller's; no List-* is ours."""
    renderer = ready(kind="notice", list_name="", list_id="", reason_line="Because you signed up.")
    data = renderer.render(ada(subscription=None, opens=False, clicks=False))
    message = parsed(data)
    assert not [name for name in message if name.lower().startswith("list-")]
    assert message["Auto-Submitted"] == "auto-generated"
    for kind in ("plain", "html"):
        assert "Because you signed up." in part(message, kind)
        assert "/p/" not in part(message, kind)
        assert "nsubscribe" not in part(message, kind)


def test_a_letter_takes_its_own_links_and_has_no_list_fields() -> None:
    """U-14."""
    compiled = compile_mail(
        mails.source(
            kind="letter", list_id="", list_name="", letter_names=("confirm_url",),
            body="Please [confirm]({{ letter.confirm_url }}), {{ registrant.name }}.",
        )
    )  # fmt: skip
    url = links.confirm(BASE, 5)
    person = ada(subscription=None, opens=False, clicks=False, extra={"confirm_url": url})
    message = parsed(Renderer(compiled).render(person))
    assert f'href="{url}"' in part(message, "html")
    assert f"confirm <{url}>" in part(message, "plain")
    assert not message["List-Id"]


def test_a_campaign_without_a_subscription_is_not_made() -> None:
    """U-1: every campaign mail carries its way out."""
    with pytest.raises(Unrenderable):
        ready().render(ada(subscription=None))


def test_a_frozen_mail_renders_as_the_one_just_compiled() -> None:
    """Design.md §5: what was stored at the start is what is sent."""
    renderer = ready(body=EVERY_SLOT)
    again = Renderer(
        CompiledMail.load(renderer.compiled.dump()), mailing=7, link_ids=renderer.link_ids
    )
    one, other = (part(made.render(ada()), "html") for made in (renderer, again))
    assert one == other


def test_provider_syntax_in_content_arrives_literally() -> None:
    """A-5, AT-A6: {{ }} between raw tags or written as entities, and providers' own."""
    body = "{% raw %}{{ x }}{% endraw %} %recipient.name% [[var:a]] *|FNAME|* &#123;&#123; y }}"
    renderer = ready(body=body, body_format="html", subject="{% raw %}{{ x }}{% endraw %} a")
    message = parsed(renderer.render(ada()))
    assert "{{ x }} %recipient.name% [[var:a]] *|FNAME|* {{ y }}" in part(message, "plain")
    assert message["Subject"] == "{{ x }} a"


def test_a_preview_is_inert_and_holds_no_token() -> None:
    """Design.md §5: what staff preview never acts."""
    body = "[a](https://a.example/x) [me](https://b.example/{{ registrant.name }})"
    shown = preview(ready(body=body).compiled, ada())
    assert set(re.findall(r'href="([^"]*)"', shown.html)) == {"#"}
    assert "would go to https://a.example/x" in shown.html
    raw = shown.raw.replace(b"=\r\n", b"")
    assert not re.search(rb"/[upilynd]/[\w-]{34}", raw)
    assert b"<img" not in raw
    message = parsed(shown.raw)
    assert message["List-Unsubscribe"] == f"<{BASE}/p/...>"
    assert message["To"] == "ada@example.org"
    assert part(message, "plain") == shown.text
    assert_well_made(shown.raw)


def test_a_letter_previews_without_its_signed_links() -> None:
    """Design.md §5."""
    compiled = compile_mail(
        mails.source(kind="letter", list_id="", body="[yes]({{ letter.confirm_url }})")
    )
    person = ada(extra={"confirm_url": links.confirm(BASE, 5)})
    shown = preview(compiled, person)
    assert not re.search(r"/y/[\w-]{34}", shown.html + shown.text)


def test_a_value_liquid_cannot_take_fails_that_person_alone() -> None:
    """Sending: one person's odd value must not stop the others."""
    body = "{% if registrant.city %}{{ 10 | divided_by: registrant.city }}{% endif %}"
    renderer = ready(body=body)
    with pytest.raises(Unrenderable) as caught:
        renderer.render(ada(attributes={"city": 0}))
    assert "ada" not in str(caught.value)
    assert "5" in part(renderer.render(ada(attributes={"city": 2})), "plain")
