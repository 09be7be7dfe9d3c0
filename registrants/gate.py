"""May this person get this mail? One ordered table (docs/architecture.md, "The gate")."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Count,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
    When,
)
from django.db.models.expressions import Combinable
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

Condition = Q | Combinable
"""What may stand in a filter."""


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
class Rule:
    """One line of the table: a reason, when it holds, and which kinds of mail it refuses."""

    refusal: Refusal
    holds: tuple[Callable[[Question], Condition], ...]
    """One of these suffices; apart, so that the planner can make a join of each."""
    refuses: frozenset[MailKind]


@dataclass(frozen=True)
class _Suppressed:
    """Holds where a suppression of this reason stands, for this client or for every one."""

    reason: str

    def __call__(self, question: Question) -> Exists:
        return Exists(_standing(question, [self.reason]))


def _standing(question: Question, reasons: Iterable[str]) -> QuerySet[Any]:
    """Return the suppressions of a person's address for any of these reasons."""
    everywhere = [reason for reason in reasons if reason in Suppression.EVERYWHERE]
    own = [reason for reason in reasons if reason not in Suppression.EVERYWHERE]
    return Suppression.objects.filter(address_hash=OuterRef("address_hash"), lifted_at=None).filter(
        Q(client=None, reason__in=everywhere) | Q(client=question.client, reason__in=own)
    )


def _on_list(**states: object) -> Callable[[Question], Condition]:
    """Look at the one subscription `judged` joins."""
    return lambda question: Q(**{f"on_list__{field}": value for field, value in states.items()})


def _not_enrolled(question: Question) -> Condition:
    return ~Exists(
        Enrolment.objects.filter(registrant=OuterRef("pk"), service=question.service, ended_at=None)
    )


def _is(**facts: object) -> Callable[[Question], Condition]:
    return lambda question: Q(**facts)


_C, _N, _L, _F = MailKind.CAMPAIGN, MailKind.NOTICE, MailKind.LETTER, MailKind.FRESH_SIGN_UP

TABLE: tuple[Rule, ...] = (
    Rule(Refusal.UNDER_13, (_Suppressed("under_13"),), frozenset({_C, _N, _L, _F})),
    Rule(
        Refusal.ERASED,
        (_is(erased_at__isnull=False), _Suppressed("erased")),
        frozenset({_C, _N, _L}),
    ),
    Rule(Refusal.HARD_BOUNCE, (_Suppressed("hard_bounce"),), frozenset({_C, _N, _L})),
    Rule(Refusal.NEVER_MAIL, (_Suppressed("never_mail"),), frozenset({_C, _L, _F})),
    Rule(Refusal.COMPLAINT, (_Suppressed("complaint"),), frozenset({_C})),
    Rule(Refusal.NOT_ON_LIST, (_on_list(isnull=True),), frozenset({_C})),
    Rule(Refusal.PENDING, (_on_list(state="pending"),), frozenset({_C})),
    Rule(Refusal.ENDED, (_on_list(state="ended"),), frozenset({_C})),
    Rule(Refusal.PAUSED, (_on_list(paused_until__gt=Now()),), frozenset({_C})),
    Rule(Refusal.NOT_ENROLLED, (_not_enrolled,), frozenset({_N})),
    Rule(Refusal.RESTRICTED, (_is(restricted_at__isnull=False),), frozenset({_C, _N})),
    Rule(Refusal.ON_HOLD, (_is(client__on_hold_at__isnull=False),), frozenset({_C})),
)


ALL = Q()


def _refusal(question: Question) -> Case:
    return Case(
        *(
            When(
                reduce(or_, (Q(holds(question)) for holds in row.holds)),
                then=Value(row.refusal.value),
            )
            for row in TABLE
            if question.kind in row.refuses
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


def judgement_sql(question: Question, *, registrant: str) -> tuple[str, tuple[Any, ...]]:
    """Return SQL that judges one person, for a lateral join, with its parameters.

    `registrant` is the SQL of a registrant's id. Columns: refusal (empty: the mail may go), what a
    mail needs of them (address, name, attributes), opens and clicks as they stand, and the id of
    the subscription of the question's list. Each person is looked up by key, so no statistics can
    make the planner read a whole table for some hundred people.
    """
    on_list = question.kind == MailKind.CAMPAIGN
    elsewhere = When(~Q(client=question.client), then=Value(Refusal.ERASED.value))
    people = (
        _with_list(Registrant.objects.order_by(), question)
        .annotate(
            refusal=Case(elsewhere, default=_refusal(question)),
            subscription=F("on_list__pk") if on_list else Value(None, BigIntegerField()),
        )
        .extra(where=[f"registrants_registrant.id = {registrant}"])
        .values("refusal", "address", "name", "attributes", "opens", "clicks", "subscription")
    )
    return people.query.sql_with_params()


def _meant(question: Question, *holds: Condition) -> QuerySet[Any]:
    """Return whom a mail of this kind could be meant for: the list, or the service.

    Of them those for whom all of `holds` does.
    """
    people = _with_list(Registrant.objects.of(question.client), question)
    if question.kind == MailKind.CAMPAIGN:
        return people.filter(*holds, on_list__isnull=False)
    if question.kind == MailKind.NOTICE:
        its = Q(enrolments__service=question.service, enrolments__ended_at=None)
        return people.filter(*holds, its)
    return people.filter(*holds)


def asked_about(question: Question) -> QuerySet[Any]:
    """Return whom a mail of this kind could be meant for, judged."""
    return _meant(question).annotate(refusal=_refusal(question))


def allowed(question: Question) -> QuerySet[Any]:
    """Return the registrants who may get it, as a queryset fit for a million."""
    elsewhere, own = _conditions(question)
    is_refused = Case(
        *(When(condition, then=Value(True)) for condition in own), default=Value(False)
    )
    people = _meant(question).annotate(is_refused=is_refused).filter(is_refused=False)
    return people.filter(*(~condition for condition in elsewhere))


def refused(question: Question, *, among: Condition = ALL) -> dict[str, int]:
    """Return refusal → count of those it could be meant for and may not get it.

    Only those for whom something holds are judged, which is quick where they are few.
    """
    elsewhere, own = _conditions(question)
    any_own = reduce(or_, own, Q(pk__in=()))
    candidates = [_meant(question, condition).values("pk") for condition in (any_own, *elsewhere)]
    rows = (
        asked_about(question)
        .filter(among, pk__in=candidates[0].union(*candidates[1:]))
        .exclude(refusal="")
        .values_list("refusal")
        .annotate(people=Count("pk"))
        .order_by("-people")
    )
    return dict(rows)


def _conditions(question: Question) -> tuple[list[Condition], list[Q]]:
    """Return the column's conditions apart: those on other tables, and those on the person's own.

    Every suppression is looked for at once, so that the planner makes one join of them.
    """
    conditions = [holds for row in TABLE if question.kind in row.refuses for holds in row.holds]
    suppressed = [holds.reason for holds in conditions if isinstance(holds, _Suppressed)]
    others = [holds(question) for holds in conditions if not isinstance(holds, _Suppressed)]
    elsewhere = [condition for condition in others if not isinstance(condition, Q)]
    own = [condition for condition in others if isinstance(condition, Q)]
    return [Exists(_standing(question, suppressed)), *elsewhere], own


def overridden(question: Question) -> int:
    """Return how many a notice reaches who opted out of something: never mail me, a complaint,
    or every subscription of theirs ended (L-9)."""
    live = Subscription.objects.filter(registrant=OuterRef("pk")).exclude(state="ended")
    ended = Subscription.objects.filter(registrant=OuterRef("pk"), state="ended")
    opted_out = Q(_Suppressed("never_mail")(question)) | Q(_Suppressed("complaint")(question))
    opted_out |= Q(Exists(ended)) & ~Q(Exists(live))
    return allowed(question).filter(opted_out).count()


def ask(*, registrant: int, question: Question) -> str:
    """Return the refusal for one person, the empty text where the mail may go."""
    refusal = (
        judged(Registrant.objects.of(question.client), question)
        .filter(pk=registrant)
        .values_list("refusal", flat=True)
        .first()
    )
    return Refusal.ERASED if refusal is None else str(refusal)
