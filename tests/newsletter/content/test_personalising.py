"""Liquid under limits: nothing an author or a reader writes can act, and nothing runs long."""

import re
import time
import tracemalloc

import pytest

from newsletter.content import personalising
from newsletter.content.compiling import SourceErrors
from newsletter.rendering.renderer import Unrenderable
from tests.newsletter.mails import ada, part, ready

CORPUS = [
    "{{ registrant.__class__.__mro__ }}",
    "{{ registrant.name.__class__ }}",
    "{{ registrant.delete }}",
    "{{ registrant.items }}",
    "{{ ''.__class__.__subclasses__ }}",
    "{{ settings.SECRET_KEY }}",
    "{{ env.PATH }}",
    "{{ registrant['__init__']['__globals__'] }}",
    "{% include '/etc/passwd' %}",
    "{% render 'x' %}",
    "{% for a in (1..1000000000) %}x{% endfor %}",
    "{% for a in (1..1000) %}{% for b in (1..1000) %}{% for c in (1..1000) %}x{% endfor %}"
    "{% endfor %}{% endfor %}",
    "{% assign a = 'xxxxxxxxxxxxxxxx' %}"
    + "{% assign a = a | append: a | append: a | append: a %}" * 14
    + "{{ a }}",
    "{% capture a %}{% for b in (1..1900) %}{{ registrant.name }}{% endfor %}{% endcapture %}"
    + "{% capture a %}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}{{ a }}{% endcapture %}" * 9
    + "{{ a }}",
    "{% if true %}" * 400 + "x" + "{% endif %}" * 400,
    "{{ registrant.name | safe }}",
    "{{ registrant.name | escapejs }}",
    "{{ '<script>alert(1)</script>' }}",
    "{% liquid echo registrant.name %}",
    "{{ _link[0] }}",
    "{% assign _pixel = 'x' %}",
    "{{ 'PHNjcmlwdD4=' | base64_decode }}",
    "{{ '%3Cscript%3E' | url_decode }}",
    "{{ '&lt;script&gt;' | escape_once }}",
    "{% tablerow a in (1..100000000) %}x{% endtablerow %}",
    "{{ 10 | times: 9999999999 | times: 99999999999999 }}",
    "{{ 'a' | ljust: 200000000 }}",
    "{% break %}",
    "{% raw %}{{ registrant.name }}",
    "{{ registrant.name | date: '%1000000000d' }}",
]


@pytest.mark.parametrize("body", CORPUS)
def test_a_hostile_template_is_refused_or_inert_within_a_second_and_64_megabytes(body: str) -> None:
    """AT-S5, S-5."""
    tracemalloc.start()
    started = time.process_time()
    try:
        html = part(ready(body=body, body_format="html").render(ada(name="Ada")), "html")
    except (SourceErrors, Unrenderable):
        html = ""
    took = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 1
    assert peak < 64_000_000
    assert "<script" not in html
    assert not re.search(r"&lt;class|__main__|root:|/usr/bin", html)
    assert len(html) < 500_000


FILTERS = sorted(name for name in personalising.HTML.filters if not name.startswith("_"))


@pytest.mark.parametrize("name", FILTERS)
def test_no_filter_lets_a_readers_markup_through(name: str) -> None:
    """S-6: whatever an author does to a value, it is escaped where it comes out."""
    attack = "<img src=x onerror=alert(1)>\"'"
    for body in (
        f'<b title="{{{{ registrant.name | {name} }}}}">{{{{ registrant.name | {name} }}}}</b>',
        f"<b>{{{{ registrant.name | {name}: registrant.name }}}}</b>",
        f"<b>{{{{ 'x' | {name}: 'x', registrant.name }}}}</b>",
        f"<b>{{% assign x = registrant.name | {name} %}}{{{{ x }}}}</b>",
    ):
        try:
            html = part(ready(body=body, body_format="html").render(ada(name=attack)), "html")
        except (SourceErrors, Unrenderable):
            continue
        assert "<img src=x" not in html
        assert not re.search(r'title="[^"]*"[^>]*onerror', html)


def test_a_value_is_cleaned_in_any_depth() -> None:
    """AT-M2."""
    cleaned = personalising.clean({"a": ["x\x00y\r\nz", {"b": "\u2028c"}, None], "d": "\x00"})
    assert cleaned == {"a": ["xy\nz", {"b": "\nc"}, ""], "d": None}


@pytest.mark.parametrize(
    ("value", "whole", "inside"),
    [
        ("https://a.b/ö?x&y", "https://a.b/%C3%B6?x&y", "https%3A%2F%2Fa.b%2F%C3%B6%3Fx%26y"),
        ("javascript:x", "#", "javascript%3Ax"),
        ("/path", "/path", "%2Fpath"),
        ("a b\"<>", "a%20b%22%3C%3E", "a%20b%22%3C%3E"),
        (None, "", ""),
        (True, "true", "true"),
        (":x", "#", "%3Ax"),
    ],
)  # fmt: skip
def test_addresses_are_filtered_by_where_the_value_stands(
    value: object, whole: str, inside: str
) -> None:
    """S-6."""
    assert personalising.whole_url(value) == whole
    assert personalising.in_url(value) == inside
