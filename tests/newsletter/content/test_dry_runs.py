"""A fault of the text is told at its line before anybody is mailed, in every field."""

import pytest

from newsletter.content.compiling import SourceErrors, compile_mail
from newsletter.rendering.renderer import Unrenderable
from tests.newsletter.mails import ada, part, ready, source


def faults(**changes: object) -> list[tuple[str, int | None, int | None, str]]:
    """Return each fault of a source."""
    with pytest.raises(SourceErrors) as caught:
        compile_mail(source(**changes))
    return [(one.field, one.line, one.column, one.message) for one in caught.value.faults]


FAULTS = [
    ("{{ 5 | divided_by: 0 }}", 8, "divided_by: can't divide by 0"),
    ("{{ registrant.name | truncate: 'x' }}", 22, "truncate"),
    ("{{ 'abc' | base64_decode }}", 12, "base64_decode"),
    ("{{ '/w==' | base64_decode }}", 13, "no text"),
    ("{% if 1 < 'a' %}x{% endif %}", 9, "not supported"),
    ("{{ 'x' | slice: 'y' }}", 10, "slice"),
    ("{{ 5 | date: 5 }}", 8, "date"),
    ("{{ '1e999' | plus: 1 }}", 14, "plus"),
    ("{% for a in (1..3) limit: 'x' %}{% endfor %}", 27, "integer"),
    ("{% for a in (1..3) limit: -1 %}{% endfor %}", 1, "worked out"),
    ("{% if registrant.city == 'Rome' %}{{ 5 | modulo: 0 }}{% endif %}", 42, "divide by 0"),
    ("{% case 1 %}{% when 2 %}{{ 5 | divided_by: 0 }}{% endcase %}", 32, "divide by 0"),
    ("{% for a in registrant.tags %}{{ 5 | divided_by: 0 }}{% endfor %}", 38, "divide by 0"),
    ("{% assign n = 0 %}{{ 5 | divided_by: n }}", 26, "divide by 0"),
    ("{{ 5 | divided_by: registrant.n }}", 8, "divide by 0"),
    ("{% for %}x{% endfor %}", 4, "Liquid"),
    ("{% for a in %}x{% endfor %}", 1, "Liquid"),
    ("{% for a in (1..3) %}x", 1, "endfor"),
    ("{% if %}x{% endif %}", 4, "Liquid"),
    ("{% if a %}{% if b %}{% endif %}", 1, "endif"),
    ("{% case a %}{% when 1 %}x", 1, "Liquid"),
    ("{% case %}{% when 1 %}x{% endcase %}", 4, "Liquid"),
    ("{% unless a %}x", 1, "endunless"),
    ("{% capture a %}x", 1, "endcapture"),
    ("{% assign a %}", 1, "Liquid"),
    ("{% cycle %}", 4, "Liquid"),
    ("{{ a | }}", 1, "Liquid"),
    ("{{ a", 1, "found end of file"),
    ("{% raw %}x", 4, "raw"),
    ("{% comment %}x", 4, "Liquid"),
]


@pytest.mark.parametrize(("text", "column", "message"), FAULTS)
@pytest.mark.parametrize("field", ["body", "layout", "preheader"])
def test_a_fault_is_told_at_its_line_and_column(
    field: str, text: str, column: int, message: str
) -> None:
    """Issue 9, B13: saved, then a 500 on the draft; "column -39"."""
    before = "" if field == "preheader" else "one\ntwo {{ content }}\n"
    changes = {field: before + text}
    listed = faults(layout_format="html", **changes)
    assert (field, 1 if field == "preheader" else 3, column) in [one[:3] for one in listed]
    assert any(message in one[3] for one in listed)


@pytest.mark.parametrize(
    "text",
    [
        "{{ 10 | divided_by: registrant.n | default: 1 }}", "{{ registrant.since | date: '%Y' }}",
        "{% if registrant.n %}{{ 10 | divided_by: registrant.n }}{% endif %}",
        "{% for a in registrant.tags %}{{ 10 | divided_by: a.price }}{% endfor %}",
        "{% if registrant.age > 18 %}x{% endif %}", "{{ 10 | divided_by: forloop.length }}",
        "{% for a in (1..3) %}{{ 10 | divided_by: forloop.index }}{% endfor %}",
        "{% assign n = 5 %}{{ 10 | modulo: n }}",
        "{{ registrant.tags | map: 'x' | join }}",
        "{{ registrant.tags | where: 'a', 1 | size }}",
        "{{ registrant.name | split: ' ' | first }}",
        "{{ registrant.tags | sort | uniq | reverse | join: ', ' }}",
        "{{ 'now' | date: '%d.%m.%Y' }}",
        "{% increment a %}{% cycle 'a', 'b' %}",
    ],
)  # fmt: skip
def test_what_works_for_somebody_is_no_fault(text: str) -> None:
    if text.startswith("{{ 10 | divided_by: registrant.n |") or "forloop.length" in text:
        assert faults(body=text)  # for those of whom nothing is known it fails
    else:
        assert compile_mail(source(body=text))


def test_one_persons_values_refuse_their_mail_and_no_other() -> None:
    """Issue 9, B13: the window goes on."""
    body = "{% if registrant.n %}{{ 10 | divided_by: registrant.n }}{% endif %}."
    renderer = ready(body=body)
    with pytest.raises(Unrenderable, match="divide by 0"):
        renderer.render(ada(attributes={"n": 0}))
    assert "5." in part(renderer.render(ada(attributes={"n": 2})), "plain")
