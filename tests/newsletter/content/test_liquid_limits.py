"""Liquid's own limits hold in process: nothing grows or runs long, and only Liquid's errors come.

Mirrors several: newsletter/content/liquid_limits.py, newsletter/content/personalising.py.
"""

import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from newsletter.content import personalising
from newsletter.content.compiling import SourceErrors
from newsletter.rendering.renderer import Unrenderable
from tests.newsletter.mails import ada, part, ready

BOMBS = [
    "{{ (1..4000000) | join }}",
    "{{ (1..4000000) | sort }}",
    "{{ (1..4000000) | reverse | first }}",
    "{{ (1..1999) | join: 'x' | split: '' | join: 'yyyyyyyyyy' | split: 'y' | size }}",
    "{{ (1..1000000000) | map: 'x' }}",
    "{{ (1..1000000000) | sum }}",
    "{{ (1..1000000000) | uniq | size }}",
    "{{ (1..1000000000) | where: 'x' }}",
    "{{ (1..1000000000) | find: 'x', 1 }}",
    "{{ (1..1000000000) | slice: 0, 100000000 }}",
    "{{ (1..1000000000) | concat: (1..1000000000) }}",
    "{{ 'x' | replace: '', 'yyyyyyyyyyyyyyyyyyyy' " + "| replace: 'y', 'yyyyyyyyyyyyyyyyyyyy' " * 8
    + "}}",
    "{% for i in (1..100000000) reversed %}x{% endfor %}",
    "{% for i in (1..100000000) limit: 1 %}x{% endfor %}",
    "{% for i in (1..99999999999999999999999) %}x{% endfor %}",
    "{% if (1..1000000000) contains 'x' %}x{% endif %}",
    "{% assign a = (1..1999) | join: 'xxxxxxxxxx' %}"
    + "{% assign a = a | append: a %}" * 30,
    "{% assign a = (1..1999) | concat: registrant.tags %}" + "{% assign a = a | concat: a %}" * 30,
    "{% assign n = 9 %}" + "{% assign n = n | times: n %}" * 60 + "{{ n }}",
    "{% for i in (1..2000) %}" + "{{ registrant.x }}" * 2_000 + "{% endfor %}",
    "{% for i in (1..2000) %}{% endfor %}" * 2_000,
    "{% for i in (1..2000) %}{% assign a = i %}{% endfor %}" * 200,
    "{% capture a %}{% for i in (1..2000) %}xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx{% endfor %}"
    "{% endcapture %}" * 900,
    "{% capture a %}" * 19 + "x" + "{% endcapture %}" * 19,
    "".join(f"{{% assign a{n} = 1 %}}" for n in range(5_000)),
    "{% increment a %}" * 5_000,
    "{% for a in (1..1999) %}{% cycle a, 'b' %}{% endfor %}",
    "{{ '" + "<" * 1_900 + "' | escape | escape | strip_html | url_encode | base64_encode }}",
    "{{ 'x' | date: '" + "%9999999999d" * 100 + "' }}",
    "{{ '" + "1 " * 900 + "' | date: '%Y' }}",
    "{% assign a = 'a b' | split: ' ' %}" + "{% assign a = a | concat: a %}" * 9
    + "{{ a | uniq }}" * 2_000,
    "{{ 1 | round: 99999999999 }}{{ '1e999' | times: 2 }}",
]  # fmt: skip


@pytest.mark.parametrize("body", BOMBS)
def test_a_bomb_is_refused_or_harmless_when_cut_and_rendered(body: str) -> None:
    """Issue 9, A1: compiled in 0.04 s, `{{ (1..4000000) | join }}` took 1.1 GB when it was cut."""
    environment = personalising.HTML
    tracemalloc.start()
    started = time.process_time()
    text = ""
    with suppress(LiquidError):
        text = environment.from_string(body).render(registrant={"x": "", "tags": ["a"] * 100})
    took, peak = time.process_time() - started, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert took < 4  # tracing costs several times what the work does
    assert peak < 64_000_000
    assert len(text) <= 400_000


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{{ (1..4000000) | join }}", "a range of 4,000,000 numbers; 2,000 are allowed"),
        ("{% for a in (1..100) %}{% for b in (1..100) %}x{% endfor %}{% endfor %}",
         "10,000 passes"),
        ("{{ (1..1999) | join: 'x' | replace: 'x', '" + "c" * 90 + "' }}",
         "a value of more than 100,000 characters"),
        ("{{ 10 | times: 999999999 | times: 99999999 }}", "a number too large"),
    ],
)  # fmt: skip
def test_what_was_too_much_is_said_in_the_preview_and_per_person(body: str, reason: str) -> None:
    """Issue 9, A1 and B13."""
    with pytest.raises(SourceErrors) as caught:
        ready(body="one\n" + body)
    [fault] = caught.value.faults
    assert reason in fault.message
    assert (fault.field, fault.line) == ("body", 2)


FILTERS = sorted(name for name in personalising.HTML.filters if not name.startswith("_"))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
        st.sampled_from(["x", "1", "-1", "1e400", "now", "%Y", "\x00", "é" * 9, "=", 10**20]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=5,
)  # fmt: skip


@given(st.sampled_from(FILTERS), VALUES, st.lists(VALUES, max_size=3), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_filter_fails_as_liquid_fails_alone(
    name: str, left: object, arguments: list[object], html: bool
) -> None:
    """Issue 9, B13: whatever stands on either side of it."""
    names = ", ".join(f"a[{index}]" for index in range(len(arguments)))
    source = f"{{{{ x | {name}{': ' + names if names else ''} }}}}"
    environment = personalising.HTML if html else personalising.TEXT
    template = personalising.parse(source, field="x", environment=environment)
    with suppress(LiquidError):
        template.render(x=left, a=arguments)


@pytest.mark.parametrize(
    "source",
    [
        "{% if x == y %}a{% endif %}", "{% if x contains y %}a{% endif %}", "{{ x[y] }}",
        "{% for a in x limit: y %}{{ a }}{% endfor %}", "{% cycle 'g': x %}", "{{ x[y].size }}",
        "{% for a in x offset: y %}{{ a }}{% endfor %}", "{% for a in (x..y) %}b{% endfor %}",
        "{% case x %}{% when y %}a{% endcase %}", "{% if x < y %}a{% endif %}", "{{ (x..y) }}",
        "{% if x >= y %}a{% endif %}", "{% cycle x, y %}", "{% assign a = x[y] %}{{ a.first }}",
    ],
)  # fmt: skip
@given(VALUES, VALUES)
@settings(max_examples=25, deadline=None)
def test_a_tag_fails_as_liquid_fails_or_is_unrenderable(source: str, x: object, y: object) -> None:
    """Issue 9, B13: a person's delivery is refused with a reason, never the window."""
    renderer = RENDERERS[source]
    with suppress(Unrenderable):
        renderer.render(ada(attributes={"x": x, "y": y}))


class _Renderers(dict[str, Any]):
    def __missing__(self, source: str) -> Any:
        named = source
        for name in "xy":
            for before, after in ((" ", " "), (" ", ":"), (" ", "["), (" ", ","), ("(", ".."),
                                  ("..", ")"), ("[", "]"), (" ", "%")):  # fmt: skip
                named = named.replace(before + name + after, f"{before}registrant.{name}{after}")
        self[source] = made = ready(body=named, body_format="html")
        return made


RENDERERS = _Renderers()


@pytest.mark.parametrize(
    "condition",
    ["x", "x != blank", "x != empty", 'x != ""', "x != nil", 'x == "Ada"', "x contains 'A'"],
)
@pytest.mark.parametrize("unknown", ["", " ", "\x00", None])
def test_what_is_unknown_is_nil_blank_and_empty(condition: str, unknown: str | None) -> None:
    """Issue 9, B7: `Hello dear ,`."""
    for name, person in (
        ("registrant.name", ada(name=unknown or "")),
        ("registrant.city", ada(attributes={"city": unknown})),
        ("registrant.site", ada()),
    ):
        body = (
            f"{{% if {condition.replace('x', name, 1)} %}}Dear {{{{ {name} }}}},{{% endif %}}"
            f"{{% unless {name} == blank %}}Dear{{% endunless %}}"
            f"{{% case {name} %}}{{% when blank %}}all{{% else %}}Dear{{% endcase %}}"
            f"{{{{ {name} | default: 'friend' }}}}[{{{{ {name} | append: {name} | upcase }}}}]"
        )
        html = part(ready(body=body, body_format="html").render(person), "html")
        assert "allfriend[]" in html
        assert "Dear" not in html


def test_what_a_client_has_not_is_nil_too() -> None:
    """Issue 9, B7: values of the client, and what a letter says."""
    body = "{% if client.postal_address %}Write us{% endif %}{% if letter.a %}A{% endif %}."
    renderer = ready(body=body, body_format="html", postal_address="", kind="letter",
                     letter_names=("a",))  # fmt: skip
    html = part(renderer.render(ada(extra={"a": ""})), "html")
    assert "Write us" not in html
    assert ">A" not in html


def test_lists_are_joined_without_the_words_of_python() -> None:
    renderer = ready(body="{{ registrant.tags | join: '-' }}", body_format="html")
    assert "a--b" in part(renderer.render(ada(attributes={"tags": ["a", None, "b"]})), "html")
    assert "None" not in part(renderer.render(ada(attributes={"tags": None})), "html")
