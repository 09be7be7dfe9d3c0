"""What a provider was given for one recipient, in one shape for all of them."""

import re
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any

from newsletter.transports.providers import REFERENCE


@dataclass
class Seen:
    """One mail as the provider would send it out."""

    to: str
    sender: str
    sender_name: str
    subject: str
    reply_to: str
    headers: dict[str, str]
    text: str
    html: str
    reference: str
    tracking: str
    """off: switched off in the call; silent: the call says nothing of it."""
    whole: Any = field(repr=False, default=None)
    """Everything the call said about this recipient."""


def lower(headers: dict[str, str]) -> dict[str, str]:
    """Return header fields by their names in small letters."""
    return {name.lower(): value for name, value in headers.items()}


def pair(address: str) -> tuple[str, str]:
    """Return the bare address and the name of a formatted one."""
    name, bare = parseaddr(address)
    return bare, name


def token(metadata: Any) -> str:
    """Return the reference where the metadata holds that and nothing else (A-18)."""
    assert list(metadata) == [REFERENCE]
    return str(metadata[REFERENCE])


def filled(text: str, values: dict[str, str]) -> str:
    """Fill in placeholders as SparkPost does; what is unknown vanishes."""
    text = re.sub(r"\{\{\{(\w+)\}\}\}", lambda placeholder: values.get(placeholder[1], ""), text)
    hidden = {f"\0{number}\0": value for number, value in enumerate(sorted(values.values()))}
    for mark, value in hidden.items():
        text = text.replace(value, mark)
    text = re.sub(r"\{\{.*?\}\}", "", text)
    for mark, value in hidden.items():
        text = text.replace(mark, value)
    return text
