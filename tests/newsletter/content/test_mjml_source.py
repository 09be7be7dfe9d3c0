"""MJML is read with every fault at its line, and what stands in it is never dropped in silence.

Mirrors several: newsletter/content/mjml_source.py, newsletter/content/mjml_tags.py,
newsletter/content/mjml_elements.py, newsletter/content/source_places.py.
"""

import pytest

from newsletter.content.compiling import SourceErrors, compilation, compile_mail
from tests.newsletter.mails import source


def faults_of(body: str) -> list[tuple[int | None, str]]:
    """Return line and message of each fault."""
    with pytest.raises(SourceErrors) as caught:
        compile_mail(source(body=body, body_format="mjml"))
    return [(fault.line, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("body", "line", "message"),
    [
        ("\nloose<mj-section></mj-section>", 2, "“loose” stands where"),
        ("<mj-section>\n a &lt; b</mj-section>", 2, "“a &lt; b” stands where"),
        ("<mj-section><mj-column>\n<mj-buton>x</mj-buton></mj-column></mj-section>",
         2, "mj-button"),
        ("<mj-section><mj-colum>\n</mj-colum></mj-section>", 1, "is mj-column meant?"),
        ("<mj-section><mj-column>\n<p>x</p></mj-column></mj-section>", 2, "<p> stands where"),
        ("<mj-text>x</mj-text>", 1, "belongs in mj-column"),
        ("<mj-body></mj-body>", 1, "<mj-body> cannot stand here"),
        ("<mj-section>\n\n<mj-include path='x.mjml' /></mj-section>", 3, "loads another file"),
        ("<mjml><mj-head>\n<mj-html-attributes></mj-html-attributes></mj-head></mjml>",
         2, "not known here"),
        ("<mjml><mj-body></mj-body>\n<mj-body></mj-body></mjml>", 2, "a second <mj-body>"),
        ("<mj-section>\n<mj-column>", 2, "never closed"),
        ("<mj-section><mj-column>\n</mj-section>", 2, "not closed before </mj-section>"),
        ("<mj-section></mj-column>\n</mj-section>", 1, "closes nothing"),
        ("<mj-section><mj-column>\n<mj-text>x</mj-column>", 2, "not closed before"),
        ("<mj-section><mj-column>\n<mj-text>x", 2, "never closed"),
        ("<mj-section a='x", 1, "quotes"),
        ("<mj-section a=>", 1, "no value"),
        ("<mj-section\n a='1' a='2'></mj-section>", 2, "stands twice"),
        ("<mj-section><!-- </mj-section>", 1, "comment is never closed"),
        ("<mj-section>\n{{ registrant.name }}</mj-section>", 2, "registrant.name"),
        ("<mj-section\n padding='{{ registrant.name }}'></mj-section>",
         2, "may not stand in padding"),
        ("<mj-section\n {% if a %}padding='1px'{% endif %}></mj-section>", 2, "lost"),
        ("<mjml><mj-head>{% if a %}<mj-title>x</mj-title>{% endif %}</mj-head></mjml>",
         1, "decide about"),
        ("{% comment %}\n\n{% endcomment %}\n{% if\n a %}{% endif %}\nloose", 6, "loose"),
        ("< mj-section>", 1, "begins no element"),
        ("<mj-section><?php x ?></mj-section>", 1, "beginning"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_at_its_line(body: str, line: int, message: str) -> None:
    """B5: nothing vanishes unsaid."""
    faults = faults_of(body)
    assert any(place == line and message in text for place, text in faults), faults


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("\n<mj-text colr='red'>x</mj-text>", "no attribute colr; is color meant?"),
        ("\n<mj-social><mj-social-element name='x' /></mj-social>", "has no src"),
    ],
)
def test_what_is_only_doubtful_is_told_and_the_mail_goes(content: str, message: str) -> None:
    """Nothing vanishes unsaid, and a slip in an attribute stops no mail."""
    body = f"<mj-section><mj-column>{content}</mj-column></mj-section>"
    (doubt,) = compilation(source(body=body, body_format="mjml")).taken_out
    assert message in doubt.message
    assert (doubt.field, doubt.line) == ("body", 2)


def test_a_font_that_loads_from_elsewhere_is_told() -> None:
    body = '<mjml><mj-head><mj-font name="a" href="https://f.example/a" /></mj-head></mjml>'
    (doubt,) = compilation(source(body=body, body_format="mjml")).taken_out
    assert "https://f.example/a" in doubt.message
