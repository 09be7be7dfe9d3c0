"""Which mailings a member of staff may read about: notices only where they may send them."""

from django.db.models import Q, QuerySet

from accountability.roles import Right
from newsletter.models import Mailing
from registrants.models import Client
from registrants.models.scope import StaffUser


def mailings(staff: StaffUser) -> QuerySet[Mailing]:
    """Return the campaigns and notices whose results a member of staff may see."""
    notices = Client.objects.for_staff(staff, Right.NOTICES).values("pk")
    seen = Q(kind=Mailing.Kind.CAMPAIGN) | Q(kind=Mailing.Kind.NOTICE, client__in=notices)
    visible: QuerySet[Mailing] = Mailing.objects.for_staff(staff, Right.REPORTS).filter(seen)
    return visible
