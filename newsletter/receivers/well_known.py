"""Whose mail servers the best-known domains have, and whom a mail server's name gives away."""

from collections.abc import Iterator

from newsletter.models import Receiver

_SINGLE: dict[Receiver, str] = {
    Receiver.GMAIL: "gmail.com googlemail.com",
    Receiver.OUTLOOK: "msn.com passport.com windowslive.com hotmail.com outlook.com live.com",
    Receiver.YAHOO: "yahoo.com ymail.com rocketmail.com aol.com aim.com myyahoo.com verizon.net"
    " netscape.net sbcglobal.net att.net bellsouth.net ameritech.net pacbell.net cox.net",
    Receiver.APPLE: "icloud.com me.com mac.com privaterelay.appleid.com",
    Receiver.UNITED_INTERNET: "gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.org gmx.eu gmx.info"
    " gmx.biz gmx.co.uk gmx.fr gmx.es gmx.us web.de email.de 1und1.de online.de mail.com",
    Receiver.PROTON: "proton.me protonmail.com protonmail.ch pm.me",
    Receiver.COMCAST: "comcast.net xfinity.com",
    Receiver.ORANGE: "orange.fr wanadoo.fr orange.com voila.fr",
    Receiver.T_ONLINE: "t-online.de magenta.de",
    Receiver.MAIL_RU: "mail.ru bk.ru inbox.ru list.ru internet.ru xmail.ru mail.ua",
    Receiver.TENCENT: "qq.com foxmail.com vip.qq.com",
    Receiver.ZOHO: "zoho.com zohomail.com zoho.eu zohomail.eu zoho.in zohomail.in",
}
_BY_COUNTRY: dict[Receiver, tuple[str, str]] = {
    Receiver.OUTLOOK: (
        "hotmail outlook live",
        "at be ca ch cl cn co.il co.in co.jp co.kr co.nz co.th co.uk co.za com.ar com.au com.br"
        " com.gr com.mx com.my com.ph com.pt com.sg com.tr com.vn cz de dk es fi fr gr hu id ie in"
        " it jp kr lt lv my nl no ph pl pt ro rs ru sa se sg sk",
    ),
    Receiver.YAHOO: (
        "yahoo ymail aol",
        "at be bg ca ch cl cn co.id co.il co.in co.jp co.kr co.nz co.th co.uk co.za com.ar com.au"
        " com.br com.co com.hk com.hr com.mx com.my com.pe com.ph com.sg com.tr com.tw com.ua"
        " com.ve com.vn cz de dk ee es fi fr gr hr hu ie in it lt lv nl no pl pt ro rs se sg sk",
    ),
}
# Yahoo Japan runs mail servers of its own; its domain is left to what DNS says.
_NOT_MEANT = {"yahoo.co.jp", "aol.co.jp", "ymail.co.jp"}

BY_MX: dict[str, Receiver] = {
    "google.com": Receiver.GMAIL,
    "googlemail.com": Receiver.GMAIL,
    # People's own mailboxes and companies' domains have other filters, limits and answers.
    "olc.protection.outlook.com": Receiver.OUTLOOK,
    "hotmail.com": Receiver.OUTLOOK,
    "mx.microsoft": Receiver.MICROSOFT_365,
    "outlook.com": Receiver.MICROSOFT_365,
    "outlook.de": Receiver.MICROSOFT_365,
    "partner.outlook.cn": Receiver.MICROSOFT_365,
    "office365.us": Receiver.MICROSOFT_365,
    "microsoft.com": Receiver.MICROSOFT_365,
    "yahoodns.net": Receiver.YAHOO,
    "icloud.com": Receiver.APPLE,
    "apple.com": Receiver.APPLE,
    "gmx.net": Receiver.UNITED_INTERNET,
    "web.de": Receiver.UNITED_INTERNET,
    "kundenserver.de": Receiver.UNITED_INTERNET,
    "ionos.com": Receiver.UNITED_INTERNET,
    "ionos.de": Receiver.UNITED_INTERNET,
    "ionos.co.uk": Receiver.UNITED_INTERNET,
    "ionos.fr": Receiver.UNITED_INTERNET,
    "ionos.es": Receiver.UNITED_INTERNET,
    "1and1.com": Receiver.UNITED_INTERNET,
    "1and1.co.uk": Receiver.UNITED_INTERNET,
    "perfora.net": Receiver.UNITED_INTERNET,
    "protonmail.ch": Receiver.PROTON,
    "comcast.net": Receiver.COMCAST,
    "orange.fr": Receiver.ORANGE,
    "wanadoo.fr": Receiver.ORANGE,
    "t-online.de": Receiver.T_ONLINE,
    "mail.ru": Receiver.MAIL_RU,
    "qq.com": Receiver.TENCENT,
    "exmail.qq.com": Receiver.TENCENT,
    "zoho.com": Receiver.ZOHO,
    "zoho.eu": Receiver.ZOHO,
    "zoho.in": Receiver.ZOHO,
    "zohomail.com": Receiver.ZOHO,
}
"""The end of a mail server's name → who runs it."""


def domains() -> dict[str, int]:
    """Return every domain known without asking DNS, with its receiver."""
    return {domain: int(receiver) for receiver, domain in _domains() if domain not in _NOT_MEANT}


def _domains() -> Iterator[tuple[Receiver, str]]:
    for receiver, names in _SINGLE.items():
        yield from ((receiver, name) for name in names.split())
    for receiver, (names, countries) in _BY_COUNTRY.items():
        for name in names.split():
            yield from ((receiver, f"{name}.{country}") for country in countries.split())


def by_mx(host: str) -> Receiver:
    """Return who runs a mail server, told by the end of its name; REST where nobody we know."""
    labels = host.lower().rstrip(".").split(".")
    for start in range(len(labels) - 1):
        receiver = BY_MX.get(".".join(labels[start:]))
        if receiver is not None:
            return receiver
    return Receiver.REST
