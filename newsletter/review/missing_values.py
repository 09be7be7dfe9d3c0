"""How many of an audience lack a value the mail writes without a word for them."""

from collections.abc import Sequence

from django.db.models import Count, Q, QuerySet
from django.db.models.fields.json import KeyTextTransform

from newsletter.content.errors import SourceError
from newsletter.mailings.audience import question
from newsletter.models import Mailing
from newsletter.review.verdicts import Check, placed
from registrants import gate
from registrants.models import Registrant

NAME = "Words for those without a value"
LOOKED_AT = 10_000
"""People counted at most: checks are made while somebody types."""
VALUES_COUNTED = 20


def check(mailing: Mailing, bare_values: Sequence[SourceError]) -> Check:
    """Warn of each value that people lack, with their number; one query, bounded."""
    asked = [bare for bare in bare_values if bare.message != "address"][:VALUES_COUNTED]
    faults = []
    if asked:
        counts = _lacking(gate.allowed(question(mailing)), [bare.message for bare in asked])
        people = counts.pop("people")
        among = f"the first {LOOKED_AT:,}" if people == LOOKED_AT else f"{people:,}"
        for index, bare in enumerate(asked):
            lacking = counts[f"value_{index}"]
            if lacking:
                message = (
                    f"{lacking:,} of {among} people have no {bare.message}: write what stands"
                    f' there for them, {{{{ registrant.{bare.message} | default: "…" }}}}'
                )
                faults.append(SourceError(bare.field, message, bare.line, bare.column))
    return placed(NAME, faults, "Nobody meets a gap.", blocking=False)


def _lacking(audience: QuerySet[Registrant], names: list[str]) -> dict[str, int]:
    """Return how many people there are, and how many lack each value."""
    people = audience.order_by()[:LOOKED_AT].values("pk")
    rows = Registrant.objects.filter(pk__in=people)
    lacking = {}
    for index, name in enumerate(names):
        if name == "name":
            lacks = Q(name="")
        else:
            rows = rows.annotate(**{f"text_{index}": KeyTextTransform(name, "attributes")})
            lacks = Q(**{f"text_{index}__isnull": True}) | Q(**{f"text_{index}": ""})
        lacking[f"value_{index}"] = Count("pk", filter=lacks)
    return rows.aggregate(people=Count("pk"), **lacking)
