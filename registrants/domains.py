"""Which domains are whose: allowed by the owner to one client, with everything below them."""

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from accountability import audit
from registrants.host_names import ascii_host
from registrants.models import Client, ClientDomain
from registrants.models.client_domain import as_allowed

WHO_ALLOWS = "The owner of this installation allows domains, on the page “Domains”."


def above(name: str) -> list[str]:
    """Return a domain or an address with every domain above it."""
    _, at, domain = name.rpartition("@")
    labels = domain.split(".")
    domains = [".".join(labels[start:]) for start in range(len(labels) - 1)]
    return [name.lower(), *domains] if at else domains or [domain]


def is_allowed(client: Client, name: str) -> bool:
    """Tell whether a client may use a host or an address; an empty one is nobody's."""
    local, at, domain = name.strip().rpartition("@")
    try:
        host = ascii_host(domain)
    except ValueError:
        return False
    names = above(f"{local}@{host}" if at else host)
    return client.pk is not None and client.domains.filter(name__in=names).exists()


def fault(client: Client, name: str) -> str:
    """Return why a client may not use a host or an address, and who can allow it; "" if it may."""
    if is_allowed(client, name):
        return ""
    allowed = ", ".join(client.domains.values_list("name", flat=True)[:20]) if client.pk else ""
    its = f"it has {allowed}" if allowed else "it has none yet"
    return f"{name.rpartition('@')[2]} is not allowed to {client} ({its}). {WHO_ALLOWS}"


def of_others(client_id: int | None, name: str) -> QuerySet[ClientDomain]:
    """Return what other clients have at, above or below a kept name."""
    below = Q() if "@" in name else Q(name__endswith=f".{name}") | Q(name__endswith=f"@{name}")
    overlapping = Q(name__in=above(name)) | below
    return ClientDomain.objects.filter(overlapping).exclude(client=client_id)


def allow(*, client: Client, names: Iterable[str], staff: int | None) -> list[ClientDomain]:
    """Allow names to a client that are not allowed yet; raises ValidationError for another's."""
    allowed: list[ClientDomain] = []
    for name in dict.fromkeys(as_allowed(text) for text in names if text):
        if is_allowed(client, name):
            continue
        refuse_anothers(client.pk, name)
        row = ClientDomain.objects.create(client=client, name=name, allowed_by=staff)
        audit.record(act="add", subject=row, staff=staff, client=client.pk)
        allowed.append(row)
    return allowed


def refuse_anothers(client_id: int | None, name: str) -> None:
    """Raise ValidationError where a name, or one above or below it, is another client's."""
    other = of_others(client_id, name).select_related("client").first()
    if other is not None:
        raise ValidationError(f"{other.name} belongs to {other.client}; a domain has one client.")


def settle() -> None:
    """Call no longer contested what is left to one client alone, after something was withdrawn."""
    for row in ClientDomain.objects.filter(is_contested=True).order_by("pk"):
        if not of_others(row.client_id, row.name).exists():
            row.is_contested = False
            row.save(update_fields=["is_contested"])
