"""Loops and decisions in Markdown tables and lists: one table, one list, whatever they decide."""

import re

import pytest

from tests.newsletter.mails import ada, part, ready

LAYOUT = '<html><body>{{ content }}<a href="{{ unsubscribe_url }}">x</a></body></html>'
HEAD = "| a | b |\n|---|---|\n"
LOOP = "{% for n in (1..2) %}"


def shape(body: str) -> str:
    """Return what Ada is sent of a Markdown body: elements without attributes, no blanks."""
    mail = ready(body=body, layout=LAYOUT, layout_format="html").render(ada())
    html = part(mail, "html").partition("</a>")[0].partition("<body")[2]
    html = re.sub(r"<img[^>]*>", "", html.partition(">")[2].rpartition("<a")[0])
    return re.sub(r"\s+", "", re.sub(r"<(\w+)[^>]*>", r"<\1>", html))


def table(*rows: str) -> str:
    """Return the shape of a table of two columns."""
    cells = "".join(f"<tr><td>{row[0]}</td><td>{row[1]}</td></tr>" for row in rows)
    return f"<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody>{cells}</tbody></table>"


@pytest.mark.parametrize(
    ("body", "made"),
    [
        (f"{HEAD}{LOOP}\n| {{{{ n }}}} | y |\n{{% endfor %}}", table("1y", "2y")),
        (f"{HEAD}| 0 | x |\n{LOOP}\n| {{{{ n }}}} | y |\n{{% endfor %}}\n| 9 | z |",
         table("0x", "1y", "2y", "9z")),
        (f"{HEAD}{{% if registrant.name %}}\n| 1 | y |\n{{% else %}}\n| 2 | n |\n{{% endif %}}",
         table("1y")),
        (f"{HEAD}{LOOP}\n{{% if n == 1 %}}\n| 1 | y |\n{{% endif %}}\n{{% endfor %}}\n| 3 | z |",
         table("1y", "3z")),
        (f"{{% if registrant.name %}}\n{HEAD}| 1 | y |\n{{% endif %}}", table("1y")),
        (f"{{% if registrant.name == 'Bo' %}}\n{HEAD}| 1 | y |\n{{% endif %}}\nend", "<p>end</p>"),
        (f"{HEAD}| 1 | y |\n{{% if registrant.name %}}\nend\n{{% endif %}}",
         table("1y") + "<p>end</p>"),
    ],
)  # fmt: skip
def test_a_table_stays_one_table(body: str, made: str) -> None:
    """Issue 9, B6: loops made unbalanced tables."""
    assert shape(body) == made


@pytest.mark.parametrize(
    ("body", "made"),
    [
        (f"{LOOP}\n1. n{{{{ n }}}}\n{{% endfor %}}", "<ol><li>n1</li><li>n2</li></ol>"),
        (f"1. a\n{LOOP}\n1. n{{{{ n }}}}\n{{% endfor %}}\n1. z",
         "<ol><li>a</li><li>n1</li><li>n2</li><li>z</li></ol>"),
        ("- a\n{% if registrant.name %}\n- b\n{% endif %}\n- c",
         "<ul><li>a</li><li>b</li><li>c</li></ul>"),
        ("- a\n{% if registrant.name == 'Bo' %}\n- b\n{% endif %}\n- c",
         "<ul><li>a</li><li>c</li></ul>"),
        ("{% if registrant.name %}\n- b\n{% endif %}\nend", "<ul><li>b</li></ul><p>end</p>"),
        (f"{LOOP}\n\n* n{{{{ n }}}}\n\n{{% endfor %}}\n\nend",
         "<ul><li>n1</li><li>n2</li></ul><p>end</p>"),
        (f"- a\n{LOOP}\n  - n{{{{ n }}}}\n{{% endfor %}}\n- z",
         "<ul><li>a<ul><li>n1</li><li>n2</li></ul></li><li>z</li></ul>"),
        (f"{LOOP}\ntext {{{{ n }}}}\n{{% endfor %}}", "<p>text1</p><p>text2</p>"),
    ],
)  # fmt: skip
def test_a_list_stays_one_list(body: str, made: str) -> None:
    """Issue 9, B6: items of a loop were numbered 1. 1. 1."""
    assert shape(body) == made
