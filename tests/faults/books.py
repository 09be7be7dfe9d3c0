"""The ledger beside what the mail server saw: who was lost, who was doubled, what is not true."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from newsletter.models import Delivery, Mailing
from registrants.models import Subscription
from tests.faults.mail import Seen

MEANT = ("ada@", "reader")
"""How the addresses of those begin who may get mail (tests/cast.py, conftest.add_readers)."""


@dataclass(frozen=True)
class Entry:
    """How one person's delivery stands."""

    state: str
    code: int | None
    answer: str


@dataclass(frozen=True)
class Books:
    """Everybody's entry and everybody's mail, by address."""

    expected: frozenset[str]
    """Who must have a delivery."""
    entries: Mapping[str, Entry]
    accepted: Counter[str]
    begun: frozenset[str]
    """Whose mail's body the server asked for at least once."""
    seconds: float = 0.0

    def of(self, state: str) -> set[str]:
        """Return whose delivery is in a state."""
        return {who for who, entry in self.entries.items() if entry.state == state}

    @property
    def lost(self) -> set[str]:
        """Return who was forgotten: no delivery, one nobody works on, or "sent" and never taken."""
        forgotten = self.of("staged") | self.of("handing_over")
        return (
            (set(self.expected) - set(self.entries))
            | forgotten
            | (self.of("sent") - set(self.accepted))
        )

    @property
    def doubled(self) -> set[str]:
        """Return whose mail the server accepted more than once."""
        return {who for who, times in self.accepted.items() if times > 1}

    @property
    def untrue(self) -> set[str]:
        """Return of whom the ledger says what the server's record denies."""
        taken = set(self.accepted)
        denied = (self.of("failed") | self.of("deferred") | self.of("refused")) & taken
        return denied | (self.of("unknown") - self.begun) | (taken - set(self.entries))

    @property
    def wrong(self) -> dict[str, list[str]]:
        """Return what must never be, with some of whom it is true; empty where all is well."""
        found = {"lost": self.lost, "doubled": self.doubled, "untrue": self.untrue}
        return {name: sorted(people)[:10] for name, people in found.items() if people}

    def row(self) -> dict[str, int | float]:
        """Return the figures of the table."""
        states = Counter(entry.state for entry in self.entries.values())
        return {
            "messages": len(self.entries),
            "accepted": self.accepted.total(),
            **{name: states[name] for name in ("sent", "deferred", "failed", "unknown")},
            "lost": len(self.lost),
            "doubled": len(self.doubled),
            "untrue": len(self.untrue),
            "seconds": round(self.seconds, 1),
        }


class Witness(Protocol):
    """A server that notes what it was given and what it accepted."""

    def seen(self) -> list[Seen]:
        """Return what it noted."""


Server = TypeVar("Server", bound=Witness)


@dataclass
class Keeper(Generic[Server]):
    """Knows from the start who is to get a mailing, for erasing takes the address away."""

    mailing: Mailing
    mail: Server
    began: float = field(default_factory=time.monotonic)
    people: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        confirmed = Subscription.objects.filter(
            mailing_list=self.mailing.mailing_list, state="confirmed"
        )
        self.people = dict(
            confirmed.exclude(registrant__address="").values_list(
                "registrant_id", "registrant__address"
            )
        )

    def books(self) -> Books:
        """Return both books as they stand now."""
        rows = Delivery.objects.filter(mailing=self.mailing)
        seen = self.mail.seen()
        return Books(
            expected=frozenset(who for who in self.people.values() if who.startswith(MEANT)),
            entries={
                self.people.get(person, f"stranger {person}"): Entry(state, code, answer)
                for person, state, code, answer in rows.values_list(
                    "registrant_id", "state", "code", "answer"
                )
            },
            accepted=Counter(each.recipient for each in seen if each.what == "accepted"),
            begun=frozenset(each.recipient for each in seen if each.what == "begun"),
            seconds=time.monotonic() - self.began,
        )
