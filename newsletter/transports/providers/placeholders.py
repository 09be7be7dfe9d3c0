"""Content arrives as it was written: a provider's own placeholders are refused or made harmless."""

import re
from typing import Any, Final

from newsletter.transports.providers.catalogue import PROVIDERS

_BRACES: Final = re.compile(r"[{}]{2,}")

_TAKEN: Final = {
    "brevo": re.compile(r"\{\{|\{%|\{#(?=.*?#\})", re.DOTALL),
    "unisender_go": re.compile(r"\{\{"),
    "mailersend": re.compile(r"\{\$\w[\w.]*\}"),
    "mailgun": re.compile(r"%(?:tag_|mailing_list_)?unsubscribe_(?:url|email)%"),
    "postmark": re.compile(r"\{\{\{?\s*pm:"),
}
"""What a provider replaces in a mail without placeholders of ours, and cannot be told to leave."""


def unfit(provider: str, text: str) -> str:
    """Say why this text cannot leave by this provider as it stands; "" where it can (A-5)."""
    pattern = _TAKEN.get(provider)
    placeholder = pattern.search(text) if pattern is not None else None
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
