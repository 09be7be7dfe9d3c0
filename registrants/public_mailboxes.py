"""Domains where anybody can have a mailbox: nobody's own, so one address is allowed at a time."""

from typing import Final

_FAMILIES: Final = "aol gmail gmx googlemail hotmail outlook rocketmail yahoo yandex ymail"
_PUBLIC: Final = (
    "126.com 139.com 163.com 189.cn 1und1.de aim.com alice.it ameritech.net arcor.de aruba.it "
    "att.net bellsouth.net bigpond.com bk.ru bluemail.ch bluewin.ch bol.com.br btinternet.com "
    "btopenworld.com centrum.cz charter.net comcast.net cox.net daum.net duck.com earthlink.net "
    "email.cz email.de fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de "
    "gmx.biz gmx.com gmx.info gmx.net gmx.org hanmail.net hey.com hotmail.com hushmail.com "
    "icloud.com ig.com.br inbox.lv inbox.ru interia.pl internet.ru kakao.com kpnmail.nl "
    "laposte.net libero.it list.ru live.com mac.com magenta.de mail.com mail.de mail.ee mail.ru "
    "mail.ua mailbox.org mailfence.com me.com msn.com myyahoo.com nate.com naver.com "
    "netscape.net neuf.fr numericable.fr o2.pl onet.pl online.de online.no op.pl optonline.net "
    "orange.com orange.fr outlook.com pacbell.net passport.com planet.nl pm.me posteo.de "
    "posteo.net privaterelay.appleid.com proton.me protonmail.ch protonmail.com qq.com "
    "rambler.ru rediffmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca "
    "sina.com sky.com skynet.be sohu.com spamgourmet.com t-online.de talktalk.net telenet.be "
    "telia.com terra.com.br terra.es tin.it tiscali.it tuta.com tuta.io tutamail.com "
    "tutanota.com tutanota.de ukr.net uol.com.br verizon.net vip.qq.com virgilio.it "
    "virginmedia.com vodafone.it voila.fr wanadoo.fr web.de windowslive.com wp.pl xfinity.com "
    "xmail.ru xs4all.nl ya.ru yeah.net ziggo.nl zoho.com zoho.eu zoho.in zohomail.com "
    "zohomail.eu zohomail.in"
)
_LIVE_ENDINGS: Final = (
    "at be ca ch cl cn co.il co.in co.jp co.kr co.nz co.th co.uk co.za com.ar com.au com.br "
    "com.gr com.mx com.my com.ph com.pt com.sg com.tr com.vn cz de dk es fi fr gr hu id ie in "
    "it jp kr lt lv my nl no ph pl pt ro rs ru sa se sg sk"
)
_EVERYWHERE: Final = frozenset(_FAMILIES.split())
"""Names that are a public mailbox under every country's ending."""
_NOBODYS: Final = frozenset(_PUBLIC.split())
_LIVE: Final = frozenset(_LIVE_ENDINGS.split())
_ABOVE: Final = _LIVE | {domain.partition(".")[2] for domain in _NOBODYS}


def is_public(domain: str) -> bool:
    """Tell whether a domain (in lower case, as A-labels) gives mailboxes to anybody."""
    first, _, ending = domain.partition(".")
    country = ending.split(".")
    is_country = len(country[-1]) == 2 and (
        len(country) == 1 or (len(country) == 2 and len(country[0]) <= 3)
    )
    return (
        domain in _NOBODYS
        or (first in _EVERYWHERE and (is_country or ending == "com"))
        or (first == "live" and ending in _LIVE)
    )


def holds_public(domain: str) -> bool:
    """Tell whether public mailboxes lie below a domain, as yahoo.co.uk lies below co.uk."""
    return domain in _ABOVE
