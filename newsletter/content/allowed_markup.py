"""What an author's HTML may hold: elements, attributes and styles that mail can show (M-14)."""

from typing import Final


def _names(text: str) -> set[str]:
    return set(text.split())


SCOPE: Final = "body-of-mail"
"""The class of the element a body's own style sheets are confined to."""

ELEMENTS: Final = _names("""
    a abbr address area article aside b big blockquote br caption center cite code col colgroup dd
    del details dfn dir div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hgroup
    hr i img ins kbd li main map mark menu nav ol p pre q s samp section small span strike strong
    sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr
""")

ATTRIBUTES: Final = {
    "*": _names("""
        style class id title lang dir align valign role width height aria-label aria-hidden
        aria-labelledby aria-describedby aria-level bgcolor background color hidden itemprop
        itemscope itemtype
    """),
    "a": {"href", "target", "name", "rel"},
    "area": {"href", "target", "alt", "shape", "coords"},
    "map": {"name"},
    "img": _names("src srcset sizes alt border usemap hspace vspace ismap loading"),
    "table": _names("border cellpadding cellspacing summary bordercolor rules frame"),
    "tr": {"bordercolor"},
    "td": _names("colspan rowspan nowrap headers bordercolor scope abbr"),
    "th": _names("colspan rowspan nowrap headers bordercolor scope abbr"),
    "ol": {"start", "type", "reversed"},
    "ul": {"type"},
    "li": {"value", "type"},
    "font": {"face", "size"},
    "hr": {"size", "noshade"},
    "br": {"clear"},
    "col": {"span"},
    "colgroup": {"span"},
    "time": {"datetime"},
    "blockquote": {"cite"},
    "q": {"cite"},
    "ins": {"cite", "datetime"},
    "del": {"cite", "datetime"},
    "details": {"open"},
}

ADDRESSES: Final = {"href", "src", "background", "cite", "srcset"}
"""Attributes that hold an address."""
MAY_BEGIN: Final = _names("http https mailto tel sms webcal whatsapp")
"""What an address may begin with; one without is left to the checks."""
WITH_CONTENT: Final = _names("""
    script iframe object embed applet title textarea svg math noscript template select audio video
    canvas noembed noframes xmp plaintext
""")
"""Elements whose content goes with them."""
PASSED_OVER: Final = _names("html head body xml")
"""Elements that stand for nothing inside a layout: what is in them stays."""

_SIDES: Final = ("top", "right", "bottom", "left")
_CORNERS: Final = ("top-left", "top-right", "bottom-right", "bottom-left")
PROPERTIES: Final = (
    _names("""
    background background-attachment background-clip background-color background-image
    background-origin background-position background-repeat background-size border border-bottom
    border-collapse border-color border-left border-radius border-right border-spacing border-style
    border-top border-width box-shadow box-sizing caption-side clear color color-scheme
    column-count column-gap columns cursor direction display empty-cells float font font-family
    font-feature-settings font-kerning font-size font-size-adjust font-stretch font-style
    font-variant font-weight gap height hyphens letter-spacing line-break line-height list-style
    list-style-image list-style-position list-style-type margin max-height max-width min-height
    min-width object-fit object-position opacity orphans outline outline-color outline-offset
    outline-style outline-width overflow overflow-wrap overflow-x overflow-y padding
    page-break-after page-break-before page-break-inside quotes row-gap supported-color-schemes
    tab-size table-layout text-align text-align-last text-decoration text-decoration-color
    text-decoration-line text-decoration-style text-decoration-thickness text-indent text-justify
    text-overflow text-rendering text-shadow text-size-adjust text-transform
    text-underline-offset unicode-bidi vertical-align visibility white-space widows width word-break
    word-spacing word-wrap align-items align-self flex flex-basis flex-direction flex-flow flex-grow
    flex-shrink flex-wrap justify-content -webkit-text-size-adjust -ms-text-size-adjust
    -moz-text-size-adjust -ms-interpolation-mode -webkit-font-smoothing -moz-osx-font-smoothing
    -webkit-text-fill-color -webkit-border-radius -moz-border-radius -premailer-width
    -premailer-height -premailer-cellpadding -premailer-cellspacing
    """)
    | {f"{name}-{side}" for name in ("margin", "padding") for side in _SIDES}
    | {f"border-{side}-{part}" for side in _SIDES for part in ("color", "style", "width")}
    | {f"border-{corner}-radius" for corner in _CORNERS}
)
"""Beside these, everything that begins with mso- (Outlook's own)."""

OUTLOOK_ELEMENTS: Final = _names("""
    v:rect v:roundrect v:oval v:shape v:shapetype v:line v:polyline v:arc v:curve v:image v:group
    v:background v:fill v:stroke v:shadow v:textbox v:textpath v:imagedata v:path v:formulas v:f
    v:handles v:h v:vmlframe
    o:officedocumentsettings o:allowpng o:pixelsperinch o:p o:lock o:relyonvml o:shapedefaults
    w:anchorlock w:worddocument w:view w:zoom w:donotoptimizeforbrowser w:wrap w:compatibility
    w:breakwrappedtables w:snaptogridincell w:wraptextwithpunct w:useasianbreakrules xml style
""")
"""What may stand in Outlook's conditional comments beside what may stand elsewhere: VML, Office."""
OUTLOOK_ATTRIBUTES: Final = _names("""
    xmlns xmlns:v xmlns:o xmlns:w href src style id class title alt target type fill fillcolor
    filled stroke stroked strokecolor strokeweight arcsize inset coordsize coordorigin path
    adj adjustments opacity opacity2 color color2 colors angle aspect origin position size sizes
    method focus focusposition focussize recolor rotate on from to weight linestyle endcap joinstyle
    miterlimit dashstyle startarrow endarrow offset offset2 blacklevel gain gamma cropleft cropright
    croptop cropbottom string fitpath fitshape trim textpathok gradientshapeok connecttype
    shapetype o:button o:spid o:title o:href o:relid o:targetscreensize o:gfxdata o:allowincell
    o:allowoverlap o:hr o:hrstd o:hrnoshade o:insetmode o:spt o:connecttype o:detectmouseclick
    o:extrusionok v:ext v:shapes eqn aspectratio clip wrapcoords allowoverlap anchorx anchory
    layout-flow mso-layout-flow-alt bgmode
""")
