"""HTML read off as plain text."""

import pytest

from newsletter.content import personalising, plain_text
from newsletter.content.liquid_tags import Tags


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>A</h1><p>b <b>c</b>\n d</p>", "A\n\nb c d"),
        ("<ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d</li></ol>", "- a\n- b\n\n1. c\n2. d"),
        ('<a href="https://x.example/?a=1&amp;b">x</a>.', "x <https://x.example/?a=1&b>."),
        ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/"),
        ('<a href="mailto:a@x.example">write</a>', "write <a@x.example>"),
        (
            '<a href="https://x.example/"><img src="a.png" alt="Logo"></a>',
            "Logo <https://x.example/>",
        ),
        ('<a href="https://x.example/"><img src="a.png" alt=""></a>', "<https://x.example/>"),
        ("a<br>b<hr>c", "a\nb\n\n--------------------------------\n\nc"),
        ('<div style="display: none">preheader<img src=x></div><p>seen</p>', "seen"),
        ("<style>p{}</style><title>t</title><script>s</script>x", "x"),
        ('<table role="presentation"><tr><td>a</td><td>b</td></tr></table>', "a\n\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ('<a href="https://x.example/">https://x.example</a>', "https://x.example"),
        ("<!-- hidden -->a&nbsp;b", "a b"),
        ('<a href="mailto:ada%40x.example?subject=Hi%20you">write</a>', "write <ada@x.example>"),
        ('<a href="mailto:ada%40x.example">ada@x.example</a>', "ada@x.example"),
        ('<a href="tel:+43%201">call</a>', "call <+43 1>"),
        ('<ol start="7"><li>a</li><li>b</li></ol>', "7. a\n8. b"),
        ('<ol start="0"><li>a</li><li value="5">b</li><li>c</li></ol>', "0. a\n5. b\n6. c"),
        ('<ol start="²"><li>a</li></ol>', "1. a"),
        ("<ol reversed><li>a</li><li>b<ul><li>x</li></ul></li></ol>", "2. a\n1. b\n  - x"),
        ("<ul><li>a<ol><li>b<ul><li>c</li></ul></li></ol></li></ul>", "- a\n  1. b\n    - c"),
        ('<img src="a" alt="One"><img src="b" alt="Two">', "One Two"),
        ('see<img src="a" alt="One">, or<img src="b" alt="">this', "see One, orthis"),
        ("<p>a</p><blockquote><p>b<br>c</p><p>d</p></blockquote><p>e</p>",
         "a\n\n> b\n> c\n>\n> d\n\ne"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>", "> a\n>\n> > b"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "a\nb"),
        (f'<a href="https://x.example/{"y" * 1200}">x</a>', f"x <https://x.example/{'y' * 1200}>"),
    ],
)  # fmt: skip
def test_html_reads_well_as_text(html: str, text: str) -> None:
    """M-7, AT-M5."""
    assert plain_text.from_html(html, Tags(html)) == f"{text}\n"


A, B = '<a href="https://x.example/a">', '<a href="https://x.example/b">'


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        (f"{{% if x %}}{A}{{% else %}}{B}{{% endif %}}go</a>.", ("go <{}/a>.", "go <{}/b>.")),
        (f"{{% if x %}}{A}{{% else %}}</a>{B}{{% endif %}}go</a>.", ("go <{}/a>.", "go <{}/b>.")),
        (f"c {{% if x %}}\n {A}\n{{% endif %}} go</a>.", ("c go <{}/a>.", "c go.")),
        (
            f"{{% if x %}}{A}{{% endif %}}go{{% if x %}}</a>{{% endif %}}.",
            ("go <{}/a>.", "go."),
        ),
        (
            f"{{% unless x %}}{A}{{% else %}}{{% if x %}}{B}{{% endif %}}{{% endunless %}}go</a>.",
            ("go <{}/b>.", "go <{}/a>."),
        ),
        (f"{{% case x %}}{{% when 1 %}}{A}{{% else %}}{B}{{% endcase %}}go</a>",
         ("go <{}/a>", "go <{}/b>")),
        (f"{A}{{% if x %}}one{{% else %}}two{{% endif %}}</a>", ("one <{}/a>", "two <{}/a>")),
        (f"{{% if x %}}{A}go</a>{{% else %}}{B}go</a>{{% endif %}}", ("go <{}/a>", "go <{}/b>")),
        (f"{A}</a> {{% if x %}}{B}go</a>{{% endif %}}", ("<{}/a> go <{}/b>", "<{}/a>")),
    ],
)  # fmt: skip
def test_a_chosen_opening_tag_brings_its_own_address(html: str, shown: tuple[str, str]) -> None:
    """Issue 9, B2: in each branch the address that stands in it."""
    tags = Tags(html)
    text = tags.into_text(
        plain_text.from_html(tags.as_comments(tags.swap(html, field="body")), tags)
    )
    for value, wanted in zip((1, None), shown, strict=True):
        rendered = personalising.parse(text, field="body", environment=personalising.TEXT).render(
            x=value
        )
        assert rendered.split() == wanted.replace("{}", "https://x.example").split()
