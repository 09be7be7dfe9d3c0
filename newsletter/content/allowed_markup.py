"""What an author's HTML may hold: elements, attributes and styles that mail can show (M-14)."""

from typing import Final


def _names(text: str) -> set[str]:
    return set(text.split())


ELEMENTS: Final = _names("""
    a abbr address article aside b blockquote br caption center cite code col colgroup dd del
    details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins
    kbd li main mark ol p pre q s samp section small span strike strong sub summary sup table
    tbody td tfoot th thead time tr tt u ul var wbr
""")

ATTRIBUTES: Final = {
    "*": _names("""
        style class id title lang dir align valign role width height aria-label aria-hidden bgcolor
    """),
    "a": {"href", "target", "name"},
    "img": {"src", "alt", "border"},
    "table": {"border", "cellpadding", "cellspacing", "background", "summary"},
    "td": {"colspan", "rowspan", "background", "nowrap", "headers"},
    "th": {"colspan", "rowspan", "background", "nowrap", "scope"},
    "ol": {"start", "type", "reversed"},
    "font": {"color", "face", "size"},
    "col": {"span"},
    "colgroup": {"span"},
    "time": {"datetime"},
}

PROPERTIES: Final = _names("""
    background background-color background-image background-position background-repeat
    background-size border border-bottom border-collapse border-color border-left border-radius
    border-right border-spacing border-style border-top border-width box-sizing clear color
    direction display float font font-family font-size font-style font-variant font-weight height
    letter-spacing line-height list-style list-style-type margin margin-bottom margin-left
    margin-right margin-top max-height max-width min-height min-width opacity outline overflow
    padding padding-bottom padding-left padding-right padding-top table-layout text-align
    text-decoration text-indent text-transform vertical-align white-space width word-break
    word-spacing word-wrap
""")
