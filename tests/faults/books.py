"""The ledger beside what the mail server saw: who was lost, who was doubled, what is not true."""

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from django.db.models import QuerySet

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
        breaches = {"lost": self.lost, "doubled": self.doubled, "untrue": self.untrue}
        return {name: sorted(people)[:10] for name, people in breaches.items() if people}

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


def confirmed() -> QuerySet[Subscription]:
    """Return the subscriptions of those who confirmed and are not erased."""
    return Subscription.objects.filter(state="confirmed").exclude(registrant__address="")


@dataclass
class Account(Generic[Server]):
    """Keeps both books of some deliveries."""

    mail: Server
    deliveries: QuerySet[Delivery]
    people: dict[int, str]
    """Registrant → address, known from the start: erasing takes the address away."""
    began: float = field(default_factory=time.monotonic)

    def books(self) -> Books:
        """Return both books as they stand now."""
        seen = self.mail.seen()
        rows = self.deliveries.values_list("registrant_id", "state", "code", "answer")
        return Books(
            expected=frozenset(who for who in self.people.values() if who.startswith(MEANT)),
            entries={
                self.people.get(person, f"stranger {person}"): Entry(state, code, answer)
                for person, state, code, answer in rows.all()
            },
            accepted=Counter(event.recipient for event in seen if event.what == "accepted"),
            begun=frozenset(event.recipient for event in seen if event.what == "begun"),
            seconds=time.monotonic() - self.began,
        )


class Keeper(Account[Server]):
    """Keeps both books of a campaign."""

    def __init__(self, mailing: Mailing, mail: Server) -> None:
        self.mailing = mailing
        people = confirmed().filter(mailing_list=mailing.mailing_list)
        super().__init__(
            mail,
            Delivery.objects.filter(mailing=mailing),
            dict(people.values_list("registrant_id", "registrant__address")),
        )


class LetterKeeper(Account[Server]):
    """Keeps both books of the letters, one owed to each reader."""

    def __init__(self, mail: Server) -> None:
        people = confirmed().filter(registrant__address__startswith="reader")
        super().__init__(
            mail,
            Delivery.objects.filter(mailing=None),
            dict(people.values_list("registrant_id", "registrant__address")),
        )
