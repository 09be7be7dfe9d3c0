"""The catalogues hold today's words, and every translation keeps what its text must keep."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog

from local import messages, pseudo

LANGUAGES = [path.name for path in messages.LOCALES.iterdir() if path.is_dir()]


def catalogue(language: str) -> Catalog:
    with messages.path_of(language, "po").open("rb") as file:
        return pofile.read_po(file, locale=language)


def test_the_catalogues_are_fresh() -> None:
    """`make messages` after any change to what readers are told; the compiled files too."""
    assert messages.stale() == []


def test_a_changed_sentence_makes_them_stale(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(messages, "sources", lambda: iter([("new.py", "gettext('New words')")]))
    assert messages.path_of("en", "po") in messages.stale()


def test_a_new_language_keeps_its_translations_and_remembers_what_is_no_longer_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(messages, "LOCALES", tmp_path)
    path = messages.path_of("de", "po")
    path.parent.mkdir(parents=True)
    path.touch()

    def make(code: str) -> str:
        monkeypatch.setattr(messages, "sources", lambda: iter([("a.py", code)]))
        for file, content in messages.files().items():
            file.write_bytes(content)
        return path.read_text()

    before = make("gettext('Sign up')\nngettext('a book', '%(n)s books', n)")
    assert "nplurals=2" in before
    path.write_text(before.replace('"Sign up"\nmsgstr ""', '"Sign up"\nmsgstr "Anmelden"'))
    assert make("gettext('Sign up')").count('msgstr "Anmelden"') == 1
    with messages.path_of("de", "mo").open("rb") as file:
        assert mofile.read_mo(file)["Sign up"].string == "Anmelden"
    assert '#~ msgstr "Anmelden"' in make("gettext('Join')")
    assert '\nmsgstr "Anmelden"' in make("gettext('Sign up')")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_can_be_read(language: str) -> None:
    with messages.path_of(language, "mo").open("rb") as file:
        compiled = {messages.forms(message.id): message.string for message in mofile.read_mo(file)}
    for message in catalogue(language):
        if message.id and message.string and any(message.string):
            string = compiled[messages.forms(message.id)] or ""
            assert messages.forms(string) == messages.forms(message.string)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_keeps_placeholders_liquid_and_markup(language: str) -> None:
    for message in catalogue(language):
        if not message.id:
            continue
        singular, *plurals = messages.forms(message.id)
        translation, *others = messages.forms(message.string or "")
        for original, string in [(singular, translation), *((plurals[0], text) for text in others)]:
            assert not string or kept(string) == kept(original), singular


def kept(text: str) -> Counter[str]:
    return Counter(mark for mark in pseudo.UNTRANSLATED.findall(text) if mark.strip())


def test_the_pseudo_language_brackets_lengthens_and_leaves_no_english() -> None:
    made = pseudo.made("Hello <b>%(name)s</b>,\n\n[read on]({{ url }}) & on")
    assert made.startswith("⟦Ĥéļļö <b>%(name)s</b>, ")
    assert "[ŕéåð öñ]({{ url }})" in made
    assert [made.count(mark) for mark in "⟦⟧"] == [2, 2]
    assert not re.search(r"[A-Za-z]", pseudo.UNTRANSLATED.sub("", made))
