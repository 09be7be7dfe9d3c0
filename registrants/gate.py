"""May this person get this mail? One ordered table of refusals (design.md §5)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)
from django.db.models.functions import Now

from registrants.models import (
    Client,
    Enrolment,
    MailingList,
    Registrant,
    Service,
    Subscription,
    Suppression,
)


class MailKind(TextChoices):
    """The columns of the table."""

    CAMPAIGN = "campaign", "campaign"
    NOTICE = "notice", "service notice"
    LETTER = "letter", "letter"
    FRESH_SIGN_UP = "fresh_sign_up", "confirm letter of a fresh sign-up"


class Refusal(TextChoices):
    """The rows of the table, in the order they are asked."""

    UNDER_13 = "under_13", "known to be under 13"
    ERASED = "erased", "erased"
    HARD_BOUNCE = "hard_bounce", "the address does not exist"
    NEVER_MAIL = "never_mail", "asked never to be mailed"
    COMPLAINT = "complaint", "marked earlier mail as spam"
    NOT_ON_LIST = "not_on_list", "not on this list"
    PENDING = "pending", "has not confirmed"
    ENDED = "ended", "unsubscribed or ended"
    PAUSED = "paused", "paused"
    NOT_ENROLLED = "not_enrolled", "not enrolled in this service"
    RESTRICTED = "restricted", "processing restricted"
    ON_HOLD = "on_hold", "the client is on hold"
    CANCELLED = "cancelled", "cancelled"


@dataclass(frozen=True)
class Question:
    """What the gate is given: kind, client, list and service; never a mailing."""

    kind: MailKind
    client: Client | int
    mailing_list: MailingList | int | None = None
    service: Service | int | None = None


@dataclass(frozen=True)
class Row:
    """One line of the table: a reason, when it holds, and which kinds of mail it refuses."""

    refusal: Refusal
    holds: tuple[Callable[[Question], Any], ...]
    """Any of these; apart, so that the planner can make a join of each."""
    refuses: frozenset[MailKind]


def _suppressed(reason: str) -> Callable[[Question], Any]:
    def holds(question: Question) -> Exists:
        found = Suppression.objects.filter(
            address_hash=OuterRef("address_hash"), reason=reason, lifted_at=None
        )
        everywhere = reason in Suppression.EVERYWHERE
        return Exists(found.filter(client=None) if everywhere else found.of(question.client))

    return holds


def _on_list(**states: Any) -> Callable[[Question], Any]:
    """Look at the one subscription `judged` joins."""
    return lambda question: Q(**{f"on_list__{field}": value for field, value in states.items()})


def _not_enrolled(question: Question) -> Any:
    return ~Exists(
        Enrolment.objects.filter(registrant=OuterRef("pk"), service=question.service, ended_at=None)
    )


def _is(**facts: Any) -> Callable[[Question], Any]:
    return lambda question: Q(**facts)


_C, _N, _L, _F = MailKind.CAMPAIGN, MailKind.NOTICE, MailKind.LETTER, MailKind.FRESH_SIGN_UP

TABLE: tuple[Row, ...] = (
    Row(Refusal.UNDER_13, (_suppressed("under_13"),), frozenset({_C, _N, _L, _F})),
    Row(
        Refusal.ERASED,
        (_is(erased_at__isnull=False), _suppressed("erased")),
        frozenset({_C, _N, _L}),
    ),
    Row(Refusal.HARD_BOUNCE, (_suppressed("hard_bounce"),), frozenset({_C, _N, _L})),
    Row(Refusal.NEVER_MAIL, (_suppressed("never_mail"),), frozenset({_C, _L, _F})),
    Row(Refusal.COMPLAINT, (_suppressed("complaint"),), frozenset({_C})),
    Row(Refusal.NOT_ON_LIST, (_on_list(isnull=True),), frozenset({_C})),
    Row(Refusal.PENDING, (_on_list(state="pending"),), frozenset({_C})),
    Row(Refusal.ENDED, (_on_list(state="ended"),), frozenset({_C})),
    Row(Refusal.PAUSED, (_on_list(paused_until__gt=Now()),), frozenset({_C})),
    Row(Refusal.NOT_ENROLLED, (_not_enrolled,), frozenset({_N})),
    Row(Refusal.RESTRICTED, (_is(restricted_at__isnull=False),), frozenset({_C, _N})),
    Row(Refusal.ON_HOLD, (_is(client__on_hold_at__isnull=False),), frozenset({_C})),
)


ALL = Q()


def _rows(question: Question) -> list[tuple[Refusal, list[Any]]]:
    """Return the rows of one column, with what holds in each."""
    return [
        (row.refusal, [holds(question) for holds in row.holds])
        for row in TABLE
        if question.kind in row.refuses
    ]


def _refusal(question: Question) -> Case:
    return Case(
        *(
            When(reduce(or_, map(Q, conditions)), then=Value(refusal.value))
            for refusal, conditions in _rows(question)
        ),
        default=Value(""),
        output_field=CharField(),
    )


def _with_list(people: QuerySet[Registrant], question: Question) -> QuerySet[Any]:
    """Give those of a campaign `on_list`: their one subscription of its list, or nothing."""
    if question.kind != MailKind.CAMPAIGN:
        return people
    its = Q(subscriptions__mailing_list=question.mailing_list)
    return people.annotate(on_list=FilteredRelation("subscriptions", condition=its))


def judged(people: QuerySet[Registrant], question: Question) -> QuerySet[Any]:
    """Annotate people with `refusal`, the first that holds or the empty text, and `on_list`."""
    return _with_list(people, question).annotate(refusal=_refusal(question))


def _meant(question: Question) -> QuerySet[Any]:
    """Return whom a mail of this kind could be meant for: the list, or the service."""
    people = _with_list(Registrant.objects.of(question.client), question)
    if question.kind == MailKind.CAMPAIGN:
        return people.filter(on_list__isnull=False)
    if question.kind == MailKind.NOTICE:
        return people.filter(enrolments__service=question.service, enrolments__ended_at=None)
    return people


def asked_about(question: Question) -> QuerySet[Any]:
    """Return whom a mail of this kind could be meant for, judged."""
    return _meant(question).annotate(refusal=_refusal(question))


def allowed(question: Question) -> QuerySet[Any]:
    """Return the registrants who may get it, as a queryset fit for a million.

    What is looked up elsewhere is refused row by row of the table, so that each becomes a join;
    the rest is asked together.
    """
    people, rest = _meant(question), []
    for _, conditions in _rows(question):
        for condition in conditions:
            if isinstance(condition, Exists):
                people = people.filter(~condition)
            else:
                rest.append(When(condition, then=Value(True)))
    return people.annotate(is_refused=Case(*rest, default=Value(False))).filter(is_refused=False)


def refused(question: Question, *, among: Any = ALL) -> dict[str, int]:
    """Return refusal → count of those it could be meant for and may not get it."""
    rows = (
        asked_about(question)
        .filter(among)
        .exclude(refusal="")
        .values_list("refusal")
        .annotate(people=Count("pk"))
        .order_by("-people")
    )
    return dict(rows)


def overridden(question: Question) -> int:
    """Return how many a notice reaches who opted out of something: never mail me, a complaint,
    or every subscription of theirs ended (L-9)."""
    live = Subscription.objects.filter(registrant=OuterRef("pk")).exclude(state="ended")
    ended = Subscription.objects.filter(registrant=OuterRef("pk"), state="ended")
    opted_out = Q(_suppressed("never_mail")(question)) | Q(_suppressed("complaint")(question))
    opted_out |= Q(Exists(ended)) & ~Q(Exists(live))
    return allowed(question).filter(opted_out).count()


def ask(*, registrant: int, question: Question) -> str:
    """Return the refusal for one person, the empty text where the mail may go."""
    found = (
        judged(Registrant.objects.of(question.client), question)
        .filter(pk=registrant)
        .values_list("refusal", flat=True)
        .first()
    )
    return Refusal.ERASED if found is None else str(found)
