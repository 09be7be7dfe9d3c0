"""What clients use now stays allowed; where two use one domain, both rows say that it is contested."""

from django.db import migrations

from registrants.host_names import ascii_host
from registrants.public_mailboxes import is_public


def _kept(name):
    local, at, domain = name.strip().removesuffix(".").rpartition("@")
    try:
        domain = ascii_host(domain)
    except ValueError:
        return ""
    if is_public(domain):
        return f"{local.lower()}@{domain}" if at else ""
    return domain


def _overlap(one, other):
    return one == other or any(
        "@" not in upper and lower.endswith((f".{upper}", f"@{upper}"))
        for upper, lower in ((one, other), (other, one))
    )


def allow_what_is_used(apps, pairs):
    """Allow each (client, host or address) of pairs, then say which rows are contested."""
    client_domain = apps.get_model("registrants", "ClientDomain")
    for client_id, name in sorted({(client, _kept(name)) for client, name in pairs if name}):
        own = client_domain.objects.filter(client_id=client_id).values_list("name", flat=True)
        covered = any(name == domain or name.endswith(f".{domain}") for domain in own)
        if name and not covered:
            client_domain.objects.create(client_id=client_id, name=name, is_contested=True)
    rows = list(client_domain.objects.order_by("pk"))
    for row in rows:
        others = [other for other in rows if other.client_id != row.client_id]
        contested = any(_overlap(row.name, other.name) for other in others)
        if contested != row.is_contested:
            row.is_contested = contested
            row.save(update_fields=["is_contested"])


def forward(apps, schema_editor):
    clients = apps.get_model("registrants", "Client").objects
    pairs = [(pk, domain) for pk, *domains in clients.values_list("pk", "domain", "link_host")
             for domain in domains]
    allow_what_is_used(apps, pairs)


class Migration(migrations.Migration):
    dependencies = [("registrants", "0004_domains_of_clients")]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
