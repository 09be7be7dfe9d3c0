"""What people were asked, by whose hand, and whether it still waits for an answer."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import QuerySet
from django.utils.timezone import now

from registrants import suppression
from registrants.models import ConsentEvent, MailingList, Registrant, Suppression
from registrants.models.wording import Purpose

Act = ConsentEvent.Act
ASK_LIVES = timedelta(days=30)


@dataclass(frozen=True)
class Ask:
    """What a person is asked on one form, in the words they saw."""

    lists: tuple[MailingList, ...]
    opens: bool = False
    clicks: bool = False
    name: str = ""
    attributes: dict[str, str] = field(default_factory=dict)


def asks(event: ConsentEvent) -> QuerySet[ConsentEvent]:
    """Return everything asked together with one ask, itself first."""
    together = ConsentEvent.objects.filter(pk=event.pk) | ConsentEvent.objects.filter(
        asked_with=event
    )
    return together.order_by("pk").select_related("registrant__client", "mailing_list")


def is_live(event: ConsentEvent) -> bool:
    """Tell whether an ask may still be confirmed: younger than 30 days, no later withdrawal."""
    if event.act != Act.ASKED or event.at < now() - ASK_LIVES:
        return False
    person = event.registrant
    if person.erased_at or suppression.stands(
        address=person.address, reason=Suppression.Reason.NEVER_MAIL, client=person.client
    ):
        return False
    return not ConsentEvent.objects.filter(
        registrant=event.registrant_id,
        purpose=event.purpose,
        mailing_list=event.mailing_list_id,
        act=Act.WITHDRAWN,
        pk__gt=event.pk,
    ).exists()


def is_confirmed(event: ConsentEvent) -> bool:
    """Tell whether an ask has been answered with yes."""
    return ConsentEvent.objects.filter(answers=event, act=Act.GIVEN).exists()


def asked_today(*, registrant: Registrant, mailing_list: MailingList) -> ConsentEvent | None:
    """Return the ask of the last day about a list where it still waits: it need not be repeated."""
    last = _last_word(registrant.pk, Purpose.LIST, mailing_list.pk)
    return last if last and last.at > now() - timedelta(days=1) and is_live(last) else None


def _last_word(registrant: int, purpose: str, mailing_list: int | None) -> ConsentEvent | None:
    """Return the last ask, yes or no about a list, or about a kind of measuring."""
    acts = (Act.ASKED, Act.GIVEN, Act.WITHDRAWN)
    return (
        ConsentEvent.objects.filter(
            registrant=registrant, purpose=purpose, mailing_list=mailing_list, act__in=acts
        )
        .order_by("-pk")
        .first()
    )


def waits_for_an_answer(*, registrant: int, purpose: str, mailing_list: int | None = None) -> bool:
    """Tell whether the last word on a list, or on a kind of measuring, is an open question."""
    last = _last_word(registrant, purpose, mailing_list)
    return last is not None and last.act == Act.ASKED
