"""Readers' words out of code and templates into `locale/`; `make messages` runs it.

Babel reads and writes, so that no program of GNU gettext is needed. `--check` changes nothing.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from django.utils.translation.template import templatize

from local import pseudo

REPOSITORY: Final = Path(__file__).resolve().parent.parent
LOCALES: Final = REPOSITORY / "locale"
PACKAGES: Final = ("config", "tracking", "newsletter", "registrants", "accountability")
KEYWORDS: Final = DEFAULT_KEYWORDS | {
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
IN_LAYOUTS: Final = re.compile(r'\{\{ "([^"]+)" \| t \}\}')


class HouseCatalog(Catalog):
    """A catalogue whose header says what a program needs, and nothing of when or by whom."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        """Return the lines of the header."""
        return [
            ("Language", str(self.locale_identifier)),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
            ("Plural-Forms", self.plural_forms),
        ]


def sources() -> Iterator[tuple[str, str]]:
    """Return each file that may speak to readers, as Python that Babel can read."""
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            yield path.relative_to(REPOSITORY).as_posix(), path.read_text()
    for path in sorted((REPOSITORY / "templates").rglob("*.html")):
        text = templatize(path.read_text(), origin=str(path))
        text = re.sub(r"^[ \t]+", "", text, flags=re.MULTILINE)
        yield path.relative_to(REPOSITORY).as_posix(), text
    for path in sorted((REPOSITORY / "newsletter" / "layouts").iterdir()):
        texts = IN_LAYOUTS.findall(path.read_text())
        calls = "\n".join(f"gettext({text!r})" for text in texts)
        yield path.relative_to(REPOSITORY).as_posix(), calls


def extracted(locale: str) -> HouseCatalog:
    """Return a catalogue of everything readers are told, with nothing translated yet."""
    comment = "# Heed, as readers see it."
    catalog = HouseCatalog(locale=locale, header_comment=comment, fuzzy=False)
    for name, text in sources():
        for line, message, _, context in extract("python", BytesIO(text.encode()), KEYWORDS):
            catalog.add(message, locations=[(name, line)], context=context)
    return catalog


def translated(locale: str) -> HouseCatalog:
    """Return the catalogue of a language: today's words with the translations that stand.

    What was translated and is no longer said stays at the end, for whoever translates what came.
    """
    fresh = extracted(locale)
    if locale == pseudo.LOCALE:
        for message in fresh:
            if message.id:
                texts = tuple(pseudo.made(text) for text in forms(message.id))
                message.string = texts if len(texts) > 1 else texts[0]
        return fresh
    standing = pofile.read_po(BytesIO(path_of(locale, "po").read_bytes()), locale=locale)
    known = {
        (forms(message.id), message.context): message
        for message in [*standing.obsolete.values(), *standing]
        if message.id and any(forms(message.string or ""))
    }
    for message in fresh:
        translation = known.pop((forms(message.id), message.context), None)
        if translation is not None:
            message.string = translation.string
            message.user_comments = translation.user_comments
    fresh.obsolete.update({forms(message.id)[0]: message for message in known.values()})
    return fresh


def forms(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return the singular of a message, and its plurals where it has any."""
    return (text,) if isinstance(text, str) else tuple(text)


def path_of(locale: str, kind: str) -> Path:
    """Return where the catalogue of a language stands, as `po` or compiled as `mo`."""
    return LOCALES / locale / "LC_MESSAGES" / f"django.{kind}"


def files() -> dict[Path, bytes]:
    """Return what every file of `locale/` must hold."""
    wanted: dict[Path, bytes] = {}
    for folder in sorted(path for path in LOCALES.iterdir() if path.is_dir()):
        catalog = translated(folder.name)
        readable, compiled = BytesIO(), BytesIO()
        pofile.write_po(readable, catalog, sort_output=True, include_lineno=False, width=100)
        write_mo(compiled, catalog)
        wanted[path_of(folder.name, "po")] = readable.getvalue()
        wanted[path_of(folder.name, "mo")] = compiled.getvalue()
    return wanted


def stale() -> list[Path]:
    """Return the files of `locale/` that no longer hold what they must."""
    return [
        path
        for path, content in files().items()
        if not path.exists() or path.read_bytes() != content
    ]


def main() -> int:
    """Write `locale/`, or with `--check` say what is stale there."""
    if "--check" in sys.argv[1:]:
        for path in stale():
            print(f"{path.relative_to(REPOSITORY)} is stale; run: make messages")
        return bool(stale())
    for path, content in files().items():
        path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
