"""What each role may do."""

from django.db import models


class Role(models.TextChoices):
    """The roles a member of staff may hold for a client."""

    ADMINISTRATOR = "administrator", "Administrator"
    MARKETER = "marketer", "Marketer"


class Right(models.TextChoices):
    """What may be allowed, in the words of the trade."""

    CAMPAIGNS = "campaigns", "compose and send campaigns"
    NOTICES = "notices", "send service notices"
    REPORTS = "reports", "read reports and export them"
    SETTINGS = "settings", "set up senders, layouts, lists and services"
    REGISTRANTS = "registrants", "see registrants and act for them"


RIGHTS: dict[str, frozenset[Right]] = {
    Role.ADMINISTRATOR: frozenset(Right),
    Role.MARKETER: frozenset({Right.CAMPAIGNS, Right.REPORTS, Right.REGISTRANTS}),
}


def holding(right: Right) -> list[str]:
    """Return the roles that carry a right."""
    return [role for role, rights in RIGHTS.items() if right in rights]
