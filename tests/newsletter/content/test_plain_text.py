"""HTML read off as plain text."""

import pytest

from newsletter.content import plain_text
from newsletter.content.liquid_tags import Tags


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>A</h1><p>b <b>c</b>\n d</p>", "A\n\nb c d"),
        ("<ul><li>a</li><li>b</li></ul><ol><li>c</li><li>d</li></ol>", "- a\n- b\n\n1. c\n2. d"),
        ('<a href="https://x.example/?a=1&amp;b">x</a>.', "x (https://x.example/?a=1&b)."),
        ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/"),
        ('<a href="mailto:a@x.example">write</a>', "write (a@x.example)"),
        (
            '<a href="https://x.example/"><img src="a.png" alt="Logo"></a>',
            "Logo (https://x.example/)",
        ),
        ('<a href="https://x.example/"><img src="a.png" alt=""></a>', "https://x.example/"),
        ("a<br>b<hr>c", "a\nb\n\n--------------------------------\n\nc"),
        ('<div style="display: none">preheader<img src=x></div><p>seen</p>', "seen"),
        ("<style>p{}</style><title>t</title><script>s</script>x", "x"),
        ('<table role="presentation"><tr><td>a</td><td>b</td></tr></table>', "a\n\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<!-- hidden -->a&nbsp;b", "a b"),
    ],
)
def test_html_reads_well_as_text(html: str, text: str) -> None:
    """M-7, AT-M5."""
    assert plain_text.from_html(html, Tags(html)) == f"{text}\n"
