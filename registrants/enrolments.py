"""What people signed up for: enrol and end."""

from django.db import transaction
from django.utils.timezone import now

from registrants.models import Enrolment, Registrant, Service


@transaction.atomic
def enrol(*, registrant: Registrant, service: Service) -> Enrolment:
    """Sign a registrant up for a service of the same client; raises ValueError across clients."""
    if registrant.client_id != service.client_id:
        raise ValueError("a registrant enrols in a service of the same client")
    enrolment, _ = Enrolment.objects.update_or_create(
        registrant=registrant, service=service, defaults={"ended_at": None}
    )
    return enrolment


@transaction.atomic
def end(*, enrolment: Enrolment) -> None:
    """End an enrolment; notices of the service no longer reach this person."""
    Enrolment.objects.filter(pk=enrolment.pk, ended_at=None).update(ended_at=now())
