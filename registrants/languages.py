"""The language readers are spoken to in: their client's, where there is a catalogue for it."""

from django.conf import settings
from django.utils import translation


def spoken(locale: str) -> str:
    """Return the language of `locale/` that suits a client's locale, or the installation's own.

    de-AT is spoken to in de where that is all there is; pt is not in pt-BR.
    """
    try:
        code = locale.lower().replace("_", "-")
        return translation.get_supported_language_variant(code, strict=True)
    except LookupError:
        return settings.LANGUAGE_CODE


def speaking(locale: str) -> translation.override:
    """Return the context in which words, dates and numbers are those of a client's language."""
    return translation.override(spoken(locale))


def speak(locale: str) -> None:
    """Answer a request in a client's language; what is spoken ends with the answer.

    `config.middleware.language_of_the_house` sees to the end.
    """
    translation.activate(spoken(locale))
