"""May this person get this mail? One ordered table of refusals (design.md §5)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
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
    holds: Callable[[Question], Any]
    refuses: frozenset[MailKind]


def _suppressed(reason: str) -> Callable[[Question], Any]:
    def holds(question: Question) -> Exists:
        found = Suppression.objects.filter(
            address_hash=OuterRef("address_hash"), reason=reason, lifted_at=None
        )
        everywhere = reason in Suppression.EVERYWHERE
        return Exists(found.filter(client=None) if everywhere else found.of(question.client))

    return holds


def _subscription(*conditions: Q, **states: Any) -> Callable[[Question], Any]:
    def holds(question: Question) -> Exists:
        return Exists(
            Subscription.objects.filter(
                *conditions,
                registrant=OuterRef("pk"),
                mailing_list=question.mailing_list,
                **states,
            )
        )

    return holds


def _not_on_list(question: Question) -> Any:
    return ~_subscription()(question)


def _not_enrolled(question: Question) -> Any:
    return ~Exists(
        Enrolment.objects.filter(registrant=OuterRef("pk"), service=question.service, ended_at=None)
    )


def _erased(question: Question) -> Any:
    return Q(erased_at__isnull=False) | Q(_suppressed("erased")(question))


_C, _N, _L, _F = MailKind.CAMPAIGN, MailKind.NOTICE, MailKind.LETTER, MailKind.FRESH_SIGN_UP

TABLE: tuple[Row, ...] = (
    Row(Refusal.UNDER_13, _suppressed("under_13"), frozenset({_C, _N, _L, _F})),
    Row(Refusal.ERASED, _erased, frozenset({_C, _N, _L})),
    Row(Refusal.HARD_BOUNCE, _suppressed("hard_bounce"), frozenset({_C, _N, _L})),
    Row(Refusal.NEVER_MAIL, _suppressed("never_mail"), frozenset({_C, _L, _F})),
    Row(Refusal.COMPLAINT, _suppressed("complaint"), frozenset({_C})),
    Row(Refusal.NOT_ON_LIST, _not_on_list, frozenset({_C})),
    Row(Refusal.PENDING, _subscription(state="pending"), frozenset({_C})),
    Row(Refusal.ENDED, _subscription(state="ended"), frozenset({_C})),
    Row(Refusal.PAUSED, _subscription(paused_until__gt=Now()), frozenset({_C})),
    Row(Refusal.NOT_ENROLLED, _not_enrolled, frozenset({_N})),
    Row(
        Refusal.RESTRICTED,
        lambda question: Q(restricted_at__isnull=False),
        frozenset({_C, _N}),
    ),
    Row(
        Refusal.ON_HOLD,
        lambda question: Q(client__on_hold_at__isnull=False),
        frozenset({_C}),
    ),
)


def refusal(question: Question) -> Case:
    """Return an expression on a registrant: the first refusal that holds, or the empty text."""
    return Case(
        *(
            When(row.holds(question), then=Value(row.refusal.value))
            for row in TABLE
            if question.kind in row.refuses
        ),
        default=Value(""),
        output_field=CharField(),
    )


def asked_about(question: Question) -> QuerySet[Registrant]:
    """Return whom a mail of this kind could be meant for: the list, or the service enrolled."""
    people = Registrant.objects.of(question.client)
    if question.kind == MailKind.CAMPAIGN:
        people = people.filter(subscriptions__mailing_list=question.mailing_list)
    elif question.kind == MailKind.NOTICE:
        people = people.filter(enrolments__service=question.service, enrolments__ended_at=None)
    return people


def allowed(question: Question) -> QuerySet[Registrant]:
    """Return the registrants who may get it, as a queryset fit for a million."""
    return asked_about(question).annotate(refusal=refusal(question)).filter(refusal="")


def refused(question: Question) -> dict[str, int]:
    """Return refusal → count of those it could be meant for and may not get it."""
    rows = (
        asked_about(question)
        .annotate(refusal=refusal(question))
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
        Registrant.objects.of(question.client)
        .filter(pk=registrant)
        .annotate(refusal=refusal(question))
        .values_list("refusal", flat=True)
        .first()
    )
    return Refusal.ERASED if found is None else str(found)
