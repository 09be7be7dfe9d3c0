"""When a form was shown, and with which words, signed into the form itself."""

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from django.core import signing
from django.utils.translation import gettext, gettext_noop

FASTEST, SLOWEST = 2.0, 3600.0
"""Seconds between showing a form and sending it, as people take them (S-3)."""

TOO_OLD = gettext_noop(
    "This page was open for a long time. Please look it over and press the button again."
)
TOO_FAST = gettext_noop("That was very fast. Please look it over and press the button again.")
CHANGED = gettext_noop(
    "The words of this page have changed meanwhile. Please read them and press again."
)


@dataclass
class Stamp:
    """One showing of one form."""

    at: float
    words: str

    @classmethod
    def now(cls, wordings: Iterable[str]) -> Self:
        """Return the stamp of a form shown now with these words."""
        return cls(time.time(), hashlib.sha256("\n".join(wordings).encode()).hexdigest()[:16])

    @property
    def signed(self) -> str:
        """Return the stamp for a hidden field; nobody else can make one."""
        return signing.dumps([self.at, self.words], salt="shown")

    def fault_of(self, shown: str) -> str:
        """Return what is wrong with the stamp a form came back with, or nothing.

        The first showing goes on to count, so that a typing error costs nobody another wait.
        """
        try:
            at, digest = signing.loads(shown, salt="shown")
        except (signing.BadSignature, ValueError):
            return gettext(TOO_OLD)
        if self.at - at > SLOWEST:
            return gettext(TOO_OLD)
        if digest != self.words:
            return gettext(CHANGED)
        elapsed, self.at = self.at - at, at
        return gettext(TOO_FAST) if elapsed < FASTEST else ""
