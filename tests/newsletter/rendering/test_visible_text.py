"""What a reader can see of a page: words, links, images."""

import pytest

from newsletter.rendering.visible_text import visible_content


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('<td style="font-size:0px"><div style="font-size:13px">a</div>b</td>', "a"),
        ('<div hidden>a<div style="display:block">b</div></div>c', "c"),
        ('<p style="visibility:hidden">a<b style="visibility:visible">b</b></p>', "b"),
        ('<p style="display:none">a<p>b', "b"),
        ('<ul><li style="display:none">a<li>b</ul>c', "b c"),
        ('<table><tr><td style="display:none">a<td>b<tr><td>c</table>', "b c"),
        ('<div style="display:none"><br>a<img src=x></div>b', "b"),
        ('<p style="display:none" style="display:block">a</p>b', "b"),
        ("<head><title>a</title><style>p{}</style></head>b<template>c</template>", "b"),
        ("<!-- a --><!--[if mso]>b<![endif]-->c", "c"),
        ("</div></p>a", "a"),
    ],
)
def test_the_words_that_can_be_seen(html: str, text: str) -> None:
    """B1: as CSS means it."""
    assert visible_content(html).text == text


@pytest.mark.parametrize(
    ("html", "links"),
    [
        ('<td style="font-size:0"><a href="/a" style="font-size:9px">x</a></td>', ["/a"]),
        ('<a href="/a"> </a><a href="/b">x</a>', ["/b"]),
        ('<a href="/a"><img src="x" alt=""></a>', ["/a"]),
        ('<a href="/a"><span style="display:none">x</span></a>', []),
        ('<a href="/a" style="opacity:0">x</a>', []),
        ('<a href="#" title="would go to /a"><b>x</b> y</a>', ["/a"]),
    ],
)
def test_the_links_that_can_be_seen(html: str, links: list[str]) -> None:
    """L-5: a link without words or picture leads nobody anywhere."""
    assert visible_content(html).links == links


def test_an_image_shows_where_words_have_no_size() -> None:
    """MJML puts pictures in cells of font-size 0."""
    html = '<td style="font-size:0px"><img src="a"><p hidden><img src="b"></p></td>'
    assert [(image.address, image.alt) for image in visible_content(html).images] == [("a", None)]
