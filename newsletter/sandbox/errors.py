"""What is said when a sandbox gave no mail back."""

from typing import Final

from newsletter.content.errors import SourceError, SourceErrors

SENTENCES: Final = {
    "time": "takes more than 2 seconds to be made into a mail; shorten it, or nest it less",
    "clock": "took more than 10 seconds to be made into a mail, so it was given up; try again",
    "memory": "takes more than 512 MB of memory to be made into a mail; make it shorter",
    "nesting": "is nested too deeply to be made into a mail; put fewer elements into each other",
    "size": "becomes a mail far too large to be sent; shorten it",
    "lost": "could not be made into a mail, because what makes it was stopped; try again",
    "turn": "waits for something else that you have asked for; try again in a moment",
    "busy": "could not be made into a mail, because too many others are being made; try again",
}
"""What was used up → the sentence its author reads."""
OTHERS: Final = frozenset({"lost", "turn", "busy"})
"""What is not of the text's own making."""


class UsedUp(SourceErrors):
    """A source that took more than a mail may: time, memory, nesting, or patience; `what` says.

    It need not be the text's fault: on a machine that has too much to do the same text may do
    another time. Whoever works unattended tries three times before it counts as a fault.
    """

    def __init__(self, what: str, *, in_layout: bool = False) -> None:
        what_of = "together with its layout " if in_layout and what not in OTHERS else ""
        super().__init__([SourceError("body", what_of + SENTENCES[what])])
        self.what = what
