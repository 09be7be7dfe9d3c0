"""Odd web addresses, and what Chromium would ask for: `python -m` this file makes the kept answers.

Debian's Chromium: `apt-get install chromium`. The file names its version.
"""

import json
import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

KEPT = Path(__file__).with_name("odd_addresses.json")
COMMAND = "python -m tests.newsletter.content.odd_addresses"
SIGNS = [chr(code) for code in range(33, 127) if not chr(code).isalnum()]
LETTERS = [
    " ",
    "\t",
    "\n",
    "\x01",
    "\x7f",
    "ä",
    "é",
    "e\u0301",
    "ж",
    "中",
    "🙂",
    "\u00a0",
    "\u200d",
]
PLACES = [
    "https://example.org/a{}b",
    "https://example.org/?q=a{}b&r=1",
    "https://example.org/a#b{}c",
    "https://us{}er@example.org/",
    "https://ex{}ample.org/",
    "https://example.org{}a",
]
HOSTS = """
EXAMPLE.org example.org. example..org .example.org müller.example MÜLLER.example
faß.example straße.example ñandú.example bücher.example.org xn--mller-kva.example
XN--MLLER-KVA.example xn--a.example xn--fa-hia.example 例え.テスト пример.испытание
مثال.إختبار उदाहरण.परीक्षा ①.example a．b。example ｅｘａｍｐｌｅ.org ☕.example a_b.example
-a.example a-.example a--b.example ab--c.example 127.0.0.1 127.1 0x7f.1 0177.0.0.1
2130706433 256.256.256.256 1.2.3.4.5 1.2.3.4. 0x.1 09.1 [::1] [::ffff:1.2.3.4]
[fe80::1%25eth0] [1:2:3:4:5:6:7:8] [::1 [] localhost LOCALHOST a.b.c.d.e example.org:443
example.org:80 example.org:8080 example.org: example.org:0 example.org:00443
example.org:65535 example.org:65536 example.org:abc example.org:8080:1 a%20b.example
a%41.example %65xample.org ex%C3%A4mple.org a%2eb.example a%2fb.example user@example.org
user:pass@example.org user:@example.org :pass@example.org @example.org a@b@example.org
us%20er:p%40ss@example.org a:b:c@example.org exam\u00adple.org ex\u200bample.org
example.org%00 a<b.example a^b.example a|b.example a"b.example a'b.example a*b.example
a!b.example a$b.example a&b.example a,b.example a;b.example a=b.example a+b.example
a~b.example a`b.example a{b}.example a(b).example
aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example
"""
PATHS = [
    "/Annual Report (1).pdf", "/a  b", "/ a", "/a ", "/a/../b", "/../a", "/a/./b", "/a/.", "/a/..",
    "/%2e/a", "/%2E%2e/a", "/a/%2e%2E/b", "//a", "/a//b", "/a/b/../../..", "/a%20b", "/a%2", "/a%",
    "/%zz", "/a%2fb", "/a%5Cb", "\\a", "/a\\b", "/a\\..\\b", "?", "#", "?#", "/?", "/#", "?a b",
    "?a=b?c=d", "?a#b?c", "#a b", "#a#b", "#a b`c<d>", "?a'b", "#a'b", "/a'b", "/a\"b", "?a\"b",
    "?a=b&region=c", "?a=b&amp;c=d", "?a=1&copy=2", "?a=%26", "?a=ä&b=ö", "?a=%C3%A4", "?a=%E4",
    "?q=a+b", "?q={x}", "/{x}", "#{x}", "/a|b", "/a^b", "?a|b", "?a^b", "#a|b", "/a;b=c", "/a,b",
    "/a:b", "/a@b", "/@a", "/~a", "/a*b", "/*", "/!", "/$a", "/a&b", "/a=b", "/a+b", "/[a]", "?[a]",
    "#[a]", "/кни́ги?q=ä&x=%20y#ж", "/日本/語?キー=値#見出し", "/🙂?🙂#🙂", "/a\u2028b", "/a\ufeffb",
    "/a\ufffdb", "/a\u00adb", "/a\nb", "/a\r\nb", "/a\tb", "/\n", "?a\nb", "#a\nb", "/a\x00b",
    "?a\x00b",
    "#a\x00b", "/a\x1fb", "/a\x80b", "/a\x85b", "/😀/../b", "/a/b;c/../d", "/%F0%9F%99%82",
    "/%ff%fe",
]  # fmt: skip
WHOLE = [
    "https:///x", "https://x/a\\b", "https:\\\\example.org\\a", "https:/example.org/a",
    "HTTPS://X/",
    "https:example.org/a", "https:////example.org/a", "https://", "https:", "https:/", "https:///",
    "https:// /x", "https://\texample.org/", "https://exam\nple.org/", " https://example.org/",
    "https://example.org/ ", "\thttps://example.org/\n", "\u00a0https://example.org/",
    "ht\ntps://x/",
    "\x00https://example.org/", "\ufeffhttps://example.org/", "https ://example.org/",
    "https//x.org",
    "https:///\\x", "http:\\x", "hTTp://Example.ORG:80/A", "http://example.org:443/", "https://?a",
    "https://#a", "https://@/", "https://:80/", "https://a:b@/", "https://user@", "http://[broken",
    "http://a b/", "http://a%20b/", "http://example.org /", "http:///a/b", "http:/a/b", "http:a/b",
    "https://example.org\\@evil.example/", "https://evil.example\\.example.org/",
    "https://example.org@evil.example/", "https://example.org%40evil.example/",
    "https://example.org/\r\nSet-Cookie: a=b", "https://example.org?a", "https://example.org#a",
    "https://example.org:8080?a", "https://example.org:8080#a", "https://example.org\t:8080/",
    "javascript:alert(1)", "java\nscript:alert(1)", "mailto:ada@example.net", "tel:+49", "htp://x/",
    "//example.org/a", "/media/x.jpg", "heron.example.org/x", "www.x", "#top", "", " ", "x",
    "ftp://example.org/", "data:text/html,x", "file:///etc/passwd", "blob:https://x/1", "ws://x/",
    "about:blank", "view-source:https://x/", "feed:https://x/", "https:%2F%2Fexample.org/", "::",
]  # fmt: skip


def addresses() -> list[str]:
    """Return every odd address, none twice."""
    signs = [place.format(sign) for place in PLACES for sign in [*SIGNS, *LETTERS]]
    hosts = [f"https://{host}/a" for host in HOSTS.split()]
    paths = [f"https://example.org{path}" for path in PATHS]
    return list(dict.fromkeys([*signs, *hosts, *paths, *WHOLE]))


def asked_of_chromium() -> tuple[str, dict[str, str | None]]:
    """Return Chromium's version and each address as its URL has it: None where not of the web."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=root)
        answers = browser.new_page().evaluate(
            """addresses => addresses.map(text => {
                try { const url = new URL(text);
                      return /^https?:$/.test(url.protocol) ? url.href : null; }
                catch { return null; }
            })""",
            addresses(),
        )
        version = browser.version
        browser.close()
    return version, dict(zip(addresses(), answers, strict=True))


def main() -> None:
    """Write the kept answers."""
    version, answers = asked_of_chromium()
    kept = {"made by": COMMAND, "Chromium": version, "answers": answers}
    KEPT.write_text(json.dumps(kept, indent=0) + "\n")


if __name__ == "__main__":
    main()
