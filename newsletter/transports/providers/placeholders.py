"""Content arrives as it was written: a provider's own placeholders are refused or made harmless."""

import re
from collections.abc import Callable
from typing import Any, Final

from newsletter.transports.providers.catalogue import PROVIDERS

_BRACES: Final = re.compile(r"[{}]{2,}")

_TAG: Final = re.compile(r"\{[{%]")
_TAG_OR_COMMENT: Final = re.compile(r"\{[{%#]")


def _of_brevo(text: str) -> re.Match[str] | None:
    """Find a tag, or a comment that ends somewhere: {# alone is left as it is."""
    first = _TAG_OR_COMMENT.search(text)
    if first is None or first[0] != "{#" or text.find("#}", first.end()) >= 0:
        return first
    return _TAG.search(text)


_TAKEN: Final[dict[str, Callable[[str], re.Match[str] | None]]] = {
    "brevo": _of_brevo,
    "unisender_go": re.compile(r"\{\{").search,
    "mailersend": re.compile(r"\{\$\w[\w.]*\}").search,
    "mailgun": re.compile(r"%(?:tag_|mailing_list_)?unsubscribe_(?:url|email)%").search,
    "postmark": re.compile(r"\{\{\{?\s*pm:").search,
}
"""What a provider replaces in a mail without placeholders of ours, and cannot be told to leave."""


def unfit(provider: str, text: str) -> str:
    """Say why this text cannot leave by this provider as it stands; "" where it can (A-5)."""
    search = _TAKEN.get(provider)
    placeholder = search(text) if search is not None else None
    if placeholder is None:
        return ""
    label = PROVIDERS[provider].label
    return f"{label} would take “{placeholder[0]}” in the text for a placeholder of its own"


def without_placeholders(data: dict[str, Any]) -> None:
    """Make SparkPost print every run of braces as it is, in the data of one of its calls.

    Two braces or more would begin or end an expression of its template language. Each run becomes
    a variable; what stands in a variable is not looked at again.
    """
    runs: dict[str, str] = {}

    def named(braces: re.Match[str]) -> str:
        name = "heed_" + braces[0].replace("{", "o").replace("}", "c")
        runs[name] = braces[0]
        return f"{{{{{{{name}}}}}}}"

    def harmless(value: object) -> Any:
        if isinstance(value, str):
            return _BRACES.sub(named, value)
        if isinstance(value, dict):
            return {name: harmless(item) for name, item in value.items()}
        return value

    data["content"] = harmless(dict(data["content"]))
    if runs:
        data["substitution_data"] = runs
