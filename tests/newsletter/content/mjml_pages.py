"""Pages of MJML that use every component, for comparing with what the reference makes of them."""

from typing import Final

PICTURE: Final = "https://heron.example/{}.png"
TEXT: Final = (
    "The heron stands still at the edge of the water and waits for what the day may bring."
)
NETWORKS: Final = ("facebook", "x", "linkedin", "youtube", "github", "instagram")


def _page(body: str, head: str = "", root: str = "") -> str:
    return f"<mjml{root}>\n<mj-head>{head}</mj-head>\n<mj-body>\n{body}\n</mj-body>\n</mjml>\n"


def _column(content: str, attributes: str = "") -> str:
    return f"<mj-column {attributes}>{content}</mj-column>"


def _section(*columns: str, attributes: str = "") -> str:
    return f"<mj-section {attributes}>{''.join(columns)}</mj-section>"


def _one(content: str, attributes: str = "") -> str:
    return _section(_column(content), attributes=attributes)


def _text(content: str = TEXT, attributes: str = "") -> str:
    return f"<mj-text {attributes}>{content}</mj-text>"


def _image(name: str = "a", attributes: str = 'alt="A heron"') -> str:
    return f'<mj-image src="{PICTURE.format(name)}" {attributes} />'


def _element(content: str, attributes: str) -> str:
    return (
        f'<mj-social-element src="{PICTURE.format("n")}" alt="" {attributes}>{content}'
        "</mj-social-element>"
    )


_ICONS: Final = (
    f'icon-wrapped-url="{PICTURE.format("more")}" icon-unwrapped-url="{PICTURE.format("less")}"'
)
_QUESTIONS: Final = "".join(
    f"<mj-accordion-element><mj-accordion-title>{title}</mj-accordion-title>"
    f"<mj-accordion-text><p>{TEXT}</p></mj-accordion-text></mj-accordion-element>"
    for title in ("Where?", "When?", "Why?")
)
_SLIDES: Final = "".join(
    f'<mj-carousel-image src="{PICTURE.format(name)}" alt="{name}" '
    f'href="https://heron.example/{name}" />'
    for name in "abc"
)
_ARROWS: Final = f'left-icon="{PICTURE.format("left")}" right-icon="{PICTURE.format("right")}"'
_BAR: Final = "".join(
    f'<mj-navbar-link href="/{name}">{name}</mj-navbar-link>' for name in ("news", "shop", "about")
)
_ROWS: Final = (
    '<tr style="text-align:left"><th>Bird</th><th>Seen</th></tr><tr><td>Heron</td><td>12</td></tr>'
    "<tr><td>Kingfisher</td><td>3</td></tr>"
)
_DEFAULTS: Final = (
    '<mj-attributes><mj-all font-family="Arial, sans-serif" /><mj-text font-size="18px" '
    'line-height="1.5" /><mj-class name="loud" color="#cc0000" font-size="24px" />'
    '<mj-class name="wide" padding="30px 50px" /><mj-section padding="12px 0" /></mj-attributes>'
)

PAGES: Final = {
    "text": _page(_one(_text())),
    "text in all ways": _page(
        _one(
            _text(TEXT, 'align="center" font-size="20px" line-height="1.6" color="#333366"')
            + _text(TEXT, 'align="justify" letter-spacing="2px" text-transform="uppercase"')
            + _text(TEXT, 'align="right" font-weight="bold" font-style="italic" height="120px"')
            + _text(TEXT, 'container-background-color="#eeeeff" padding="40px 60px 10px"')
        )
    ),
    "html in a text": _page(
        _one(
            _text(
                "<h1>One</h1><p>Two &amp; <b>three</b>&nbsp;four</p><ul><li>five<li>six</ul>"
                '<a href="https://heron.example/?a=1&amp;b=2">seven</a><br>eight &copy; &#8364;'
            )
        )
    ),
    "two columns": _page(_section(_column(_text()), _column(_text() + _image()))),
    "three columns of their own width": _page(
        _section(
            _column(_text("one"), 'width="20%"'),
            _column(_text("two"), 'width="150px"'),
            _column(_text(), 'width="55%"'),
        )
    ),
    "four columns": _page(_section(*[_column(_text(word)) for word in ("a", "b", "c", "d")])),
    "a group": _page(
        _section(
            "<mj-group>"
            + _column(_text("left"), 'width="30%"')
            + _column(_text(TEXT), 'width="70%"')
            + "</mj-group>"
        )
    ),
    "a group beside a column": _page(
        _section(
            '<mj-group width="60%">' + _column(_text("a")) + _column(_text("b")) + "</mj-group>",
            _column(_text("c"), 'width="40%"'),
        )
    ),
    "columns with borders and backgrounds": _page(
        _section(
            _column(
                _text(),
                'background-color="#ffeecc" border="4px solid #cc8800" border-radius="12px" '
                'padding="20px" inner-background-color="#ffffff" inner-border="2px dotted #008800"',
            ),
            _column(_text(), 'vertical-align="bottom" border-left="10px solid #000088"'),
        )
    ),
    "columns at the middle": _page(
        _section(
            _column(_image(), 'vertical-align="middle"'),
            _column(_text("short"), 'vertical-align="middle"'),
        )
    ),
    "sections with backgrounds": _page(
        _one(_text(), 'background-color="#ddeeff" padding="40px" border="3px solid #0088cc"')
        + _one(_text(), f'background-url="{PICTURE.format("bg")}" background-size="cover"')
        + _one(
            _text(),
            f'full-width="full-width" background-color="#222222" '
            f'background-url="{PICTURE.format("bg")}" background-repeat="no-repeat" '
            'background-position="top right"',
        )
    ),
    "full-width sections": _page(
        _one(_text(), 'full-width="full-width" background-color="#ddffdd"')
        + _one(_text(), 'text-align="left" padding-top="60px" border-radius="20px"')
    ),
    "columns the other way round": _page(
        _section(_column(_text("first")), _column(_text("second")), attributes='direction="rtl"')
    ),
    "a wrapper": _page(
        '<mj-wrapper background-color="#eeeeee" padding="30px" border="2px solid #888888">'
        + _one(_text(), 'background-color="#ffffff"')
        + _one(_image())
        + "</mj-wrapper>"
    ),
    "a full-width wrapper": _page(
        f'<mj-wrapper full-width="full-width" background-url="{PICTURE.format("bg")}">'
        + _one(_text())
        + _section(_column(_text("a")), _column(_text("b")))
        + "</mj-wrapper>"
    ),
    "a fluid hero": _page(
        f'<mj-hero mode="fluid-height" background-width="600px" background-height="400px" '
        f'background-url="{PICTURE.format("bg")}" background-color="#2a3448" padding="60px 20px">'
        + _text(TEXT, 'color="#ffffff" align="center"')
        + '<mj-button href="https://heron.example/go">Go</mj-button></mj-hero>'
    ),
    "a fixed hero": _page(
        '<mj-hero mode="fixed-height" height="420px" background-width="600px" '
        f'background-height="420px" background-url="{PICTURE.format("bg")}" '
        'vertical-align="middle" inner-padding="20px" width="400px">' + _text() + "</mj-hero>"
    ),
    "a hero without picture": _page(
        '<mj-hero background-color="#446644" padding="20px">' + _image() + _text() + "</mj-hero>"
    ),
    "buttons": _page(
        _one(
            '<mj-button href="https://heron.example/a">One</mj-button>'
            '<mj-button align="left" background-color="#cc0000" border-radius="20px" '
            'font-size="20px" inner-padding="20px 40px" href="https://heron.example/b">Two</mj-button>'
            '<mj-button width="300px" height="60px" align="right" text-align="left" '
            'border="3px solid #00cc00" font-weight="bold">Three</mj-button>'
            '<mj-button width="100%" vertical-align="top" line-height="30px" '
            'text-transform="uppercase" letter-spacing="3px" rel="x" name="n">Four</mj-button>'
        )
    ),
    "images": _page(
        _one(
            _image("a", 'alt="one" width="200px" align="left" href="https://heron.example/a"')
            + _image("b", 'alt="two" border="5px solid #888888" border-radius="10px" padding="0"')
            + _image("c", 'alt="three" height="80px" width="160px" align="right" title="t"')
            + _image("d", 'alt="four" fluid-on-mobile="true" width="300px" srcset="x.png 2x"')
        )
    ),
    "images in columns": _page(
        _section(*[_column(_image(name)) for name in ("a", "b", "c")])
        + _section(_column(_image(), 'width="25%"'), _column(_image(), 'width="75%"'))
    ),
    "dividers": _page(
        _one(
            "<mj-divider />"
            '<mj-divider border-width="1px" border-style="dashed" border-color="lightgrey" />'
            '<mj-divider width="50%" align="left" border-width="8px" padding="0" />'
            '<mj-divider width="200px" align="right" container-background-color="#eeeeee" />'
        )
    ),
    "spacers": _page(
        _one(
            _text("above")
            + '<mj-spacer height="70px" /><mj-spacer container-background-color="#eeeeee" />'
            + _text("below")
        )
    ),
    "a table": _page(_one(f"<mj-table>{_ROWS}</mj-table>")),
    "tables in all ways": _page(
        _one(
            f'<mj-table width="300px" align="center" cellpadding="8" border="1px solid #888888" '
            f'font-size="18px" color="#006600">{_ROWS}</mj-table>'
            f'<mj-table table-layout="fixed" line-height="40px" width="50%" '
            f'container-background-color="#eeeeee">{_ROWS}</mj-table>'
        )
    ),
    "a bar of links": _page(
        _one(f'<mj-navbar base-url="https://heron.example">{_BAR}</mj-navbar>')
    ),
    "a bar that folds": _page(
        _one(
            '<mj-navbar hamburger="hamburger" ico-color="#cc0000" align="left" '
            'ico-padding-left="30px" '
            f'base-url="https://heron.example">{_BAR}</mj-navbar>'
        )
    ),
    "links of a bar in all ways": _page(
        _one(
            '<mj-navbar align="right"><mj-navbar-link href="https://heron.example/a" '
            'color="#cc0000" font-size="20px" padding="5px 30px" text-transform="none">One'
            '</mj-navbar-link><mj-navbar-link href="https://heron.example/b" '
            'letter-spacing="4px" font-weight="bold" target="_self">Two</mj-navbar-link>'
            "</mj-navbar>"
        )
    ),
    "networks in a row": _page(
        _one(
            "<mj-social>"
            + "".join(
                _element(name, f'name="{name}-noshare" href="https://heron.example/{name}"')
                for name in NETWORKS
            )
            + "</mj-social>"
        )
    ),
    "networks in a column": _page(
        _one(
            '<mj-social mode="vertical" align="left" icon-size="40px" font-size="20px" '
            'color="#0000cc" inner-padding="10px" text-padding="0 20px">'
            + _element("share", 'name="facebook" href="https://heron.example/share"')
            + _element("", 'href="https://heron.example/own" background-color="#cc0000"')
            + _element("no link", 'name="github" icon-height="60px" border-radius="20px"')
            + "</mj-social>"
        )
    ),
    "an accordion": _page(_one(f"<mj-accordion {_ICONS}>{_QUESTIONS}</mj-accordion>")),
    "an accordion in all ways": _page(
        _one(
            f'<mj-accordion {_ICONS} border="none" padding="1px" icon-width="20px" '
            'icon-height="20px" icon-position="left" icon-align="top">'
            '<mj-accordion-element background-color="#eeeeff"><mj-accordion-title font-size="24px" '
            'color="#cc0000" padding="30px">Big</mj-accordion-title><mj-accordion-text '
            'font-size="18px" line-height="2" color="#006600">Small</mj-accordion-text>'
            "</mj-accordion-element></mj-accordion>"
        )
    ),
    "a carousel": _page(_one(f"<mj-carousel {_ARROWS}>{_SLIDES}</mj-carousel>")),
    "a carousel without small pictures": _page(
        _one(
            f'<mj-carousel {_ARROWS} thumbnails="hidden" border-radius="0" icon-width="60px">'
            f"{_SLIDES}</mj-carousel>"
        )
    ),
    "html of one's own": _page(
        '<mj-raw><div style="background:#eeeeee">between</div></mj-raw>'
        + _one('<mj-raw><tr><td style="padding:9px">in a column</td></tr></mj-raw>' + _text())
        + "<mj-raw><!-- nothing --></mj-raw>"
    ),
    "defaults and classes": _page(
        _one(
            _text("plain")
            + _text("loud", 'mj-class="loud"')
            + _text("both", 'mj-class="loud wide"')
        ),
        _DEFAULTS,
    ),
    "styles": _page(
        _one(_text('<p class="a">one</p>', 'css-class="box"') + _text('<b class="b">two</b>')),
        "<mj-style>.a { font-size: 30px } @media (max-width: 480px) { .box div { color: red } }"
        '</mj-style><mj-style inline="inline">.b { letter-spacing: 5px; font-size: 22px }'
        "</mj-style>",
    ),
    "title, preview, breakpoint": _page(
        _section(_column(_text("a")), _column(_text("b"))),
        "<mj-title>A title</mj-title><mj-preview>A preview</mj-preview>"
        '<mj-breakpoint width="380px" />',
    ),
    "a narrow body": (
        '<mjml><mj-body width="400px" background-color="#ddddee" css-class="all">'
        f"{_one(_text())}{_one(_image())}</mj-body></mjml>"
    ),
    "from right to left": _page(
        _section(_column(_text("مرحبا", 'align="right"')), _column(_text("أهلا", 'align="left"'))),
        '<mj-attributes><mj-section direction="rtl" /><mj-column direction="rtl" />'
        "</mj-attributes>",
        ' lang="ar" dir="rtl"',
    ),
    "comments": _page(
        f"<!-- one -->{_one(f'<!-- two -->{_text()}<!-- three -->')}<!-- four -->"
        f"<mj-wrapper><!-- five -->{_one(_text())}<!-- six --></mj-wrapper>"
    ),
    "odd values": _page(
        _section(
            _column(_image("a", 'alt="We ❤️ you" padding="5px\n 10px"')),
            _column(_text("नमस्ते 👨‍👩‍👧", 'font-family="\'Größe\', Arial" padding-left="0"')),
            attributes="padding='7px\t9px'",
        )
    ),
    "a newsletter": _page(
        _one(_image("logo", 'alt="Heron" width="150px" padding="20px"'))
        + _one(_text("<h1>Autumn at the lake</h1>", 'align="center"') + _image("lake"))
        + _section(
            _column(
                _image("b") + _text() + '<mj-button href="https://heron.example/b">More</mj-button>'
            ),
            _column(
                _image("c") + _text() + '<mj-button href="https://heron.example/c">More</mj-button>'
            ),
            attributes='background-color="#ffffff"',
        )
        + "<mj-wrapper background-color='#f0f0f0'>"
        + _one(_text("Heron Ltd, 12 Mill Lane, Bath", 'font-size="12px" align="center"'))
        + "</mj-wrapper>",
        _DEFAULTS,
    ),
}
"""What is in a page → its source."""
