"""The gate's table, cell by cell, as a set and as a single answer."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils.timezone import now

from registrants import gate, suppression
from registrants.gate import MailKind, Question, Refusal
from registrants.models import Enrolment, Subscription, Suppression
from tests.cast import Cast, confirmed, make_registrant

C, N, L, F = MailKind.CAMPAIGN, MailKind.NOTICE, MailKind.LETTER, MailKind.FRESH_SIGN_UP

# docs/architecture.md, "The gate", row by row:
# who it holds for, then campaign, notice, letter, confirm letter.
TABLE = [
    ("ada", ("", "", "", "")),
    ("ben", ("pending", "", "", "")),
    ("cleo", ("ended", "", "", "")),
    ("dov", ("never_mail", "", "never_mail", "never_mail")),
    ("eve", ("erased", "erased", "erased", "")),
    ("fay", ("under_13", "under_13", "under_13", "under_13")),
]


def question(cast: Cast, kind: MailKind) -> Question:
    return Question(
        kind=kind,
        client=cast.client.pk,
        mailing_list=cast.mailing_list.pk if kind == C else None,
        service=cast.service.pk if kind == N else None,
    )


@pytest.mark.parametrize(("name", "answers"), TABLE)
def test_each_of_the_cast_gets_what_the_table_says(
    cast: Cast, name: str, answers: tuple[str, ...]
) -> None:
    person = cast.everybody[name]
    for kind, expected in zip((C, N, L, F), answers, strict=True):
        assert gate.ask(registrant=person.pk, question=question(cast, kind)) == expected


def agree(cast: Cast, kind: MailKind) -> bool:
    """Tell whether the set and the single answer say the same of each of the cast."""
    asked = question(cast, kind)
    allowed = set(gate.allowed(asked).values_list("pk", flat=True))
    meant = set(gate.asked_about(asked).values_list("pk", flat=True))
    return all(
        (person.pk in allowed)
        == (person.pk in meant and gate.ask(registrant=person.pk, question=asked) == "")
        for person in cast.everybody.values()
    )


@pytest.mark.parametrize("kind", [C, N, L, F])
def test_the_set_and_the_single_answer_agree(cast: Cast, kind: MailKind) -> None:
    assert agree(cast, kind)


@pytest.mark.parametrize("kind", [C, N, L, F])
def test_the_counts_are_those_of_the_single_answers(cast: Cast, kind: MailKind) -> None:
    asked = question(cast, kind)
    meant = gate.asked_about(asked).values_list("pk", flat=True)
    answers = Counter(gate.ask(registrant=pk, question=asked) for pk in meant)
    assert gate.refused(asked) == {word: count for word, count in answers.items() if word}


def test_of_a_client_on_hold_everybody_is_counted(cast: Cast) -> None:
    before = gate.refused(question(cast, C))
    _hold(cast)
    assert gate.refused(question(cast, C)) == before | {"on_hold": 1}


def test_the_refusals_are_counted_by_their_first_reason(cast: Cast) -> None:
    assert gate.refused(question(cast, C)) == {
        "pending": 1,
        "ended": 1,
        "never_mail": 1,
        "erased": 1,
        "under_13": 1,
    }


def _suppress(reason: str) -> Callable[[Cast], None]:
    def act(cast: Cast) -> None:
        suppression.suppress(
            address=cast.ada.address, reason=Suppression.Reason(reason), client=cast.client
        )

    return act


def _restrict(cast: Cast) -> None:
    type(cast.ada).objects.filter(pk=cast.ada.pk).update(restricted_at=now())


def _pause(cast: Cast) -> None:
    Subscription.objects.filter(registrant=cast.ada).update(paused_until=now() + timedelta(days=1))


def _hold(cast: Cast) -> None:
    type(cast.client).objects.filter(pk=cast.client.pk).update(on_hold_at=now())


def _leave_service(cast: Cast) -> None:
    Enrolment.objects.filter(registrant=cast.ada).update(ended_at=now())


@pytest.mark.parametrize(
    ("act", "answers"),
    [
        (_suppress("hard_bounce"), ("hard_bounce", "hard_bounce", "hard_bounce", "")),
        (_suppress("complaint"), ("complaint", "", "", "")),
        (_suppress("erased"), ("erased", "erased", "erased", "")),
        (_pause, ("paused", "", "", "")),
        (_restrict, ("restricted", "restricted", "", "")),
        (_hold, ("on_hold", "", "", "")),
        (_leave_service, ("", "not_enrolled", "", "")),
    ],
)
def test_each_further_row_refuses_what_its_columns_say(
    cast: Cast, act: Callable[[Cast], None], answers: tuple[str, ...]
) -> None:
    act(cast)
    for kind, expected in zip((C, N, L, F), answers, strict=True):
        assert gate.ask(registrant=cast.ada.pk, question=question(cast, kind)) == expected
        assert agree(cast, kind)


def test_somebody_never_on_the_list_is_refused(cast: Cast) -> None:
    gus = make_registrant(cast.client, "gus@example.net")
    assert gate.ask(registrant=gus.pk, question=question(cast, C)) == Refusal.NOT_ON_LIST


def test_a_pause_that_is_over_refuses_nothing(cast: Cast) -> None:
    Subscription.objects.filter(registrant=cast.ada).update(paused_until=now() - timedelta(1))
    assert gate.ask(registrant=cast.ada.pk, question=question(cast, C)) == ""


def test_a_bounce_holds_for_every_client_a_complaint_for_one(cast: Cast) -> None:
    from tests.cast import make_client, make_list

    other = make_client("Lighthouse", "lighthouse")
    other_list = make_list(other)
    twin = make_registrant(other, cast.ada.address)
    confirmed(twin, other_list)
    asked = Question(kind=C, client=other.pk, mailing_list=other_list.pk)
    _suppress("complaint")(cast)
    assert gate.ask(registrant=twin.pk, question=asked) == ""
    _suppress("hard_bounce")(cast)
    assert gate.ask(registrant=twin.pk, question=asked) == Refusal.HARD_BOUNCE


def test_a_registrant_of_another_client_is_never_let_through(cast: Cast) -> None:
    from tests.cast import make_client

    other = make_client("Lighthouse", "lighthouse")
    asked = Question(kind=L, client=other.pk)
    assert gate.ask(registrant=cast.ada.pk, question=asked) != ""


def test_a_notice_counts_every_opt_out_it_overrides(cast: Cast) -> None:
    """L-9."""
    assert gate.overridden(question(cast, N)) == 2  # Cleo, who left, and Dov
