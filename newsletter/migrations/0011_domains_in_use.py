"""The domains senders use now stay allowed to their clients."""

from importlib import import_module

from django.db import migrations


def forward(apps, schema_editor):
    senders = apps.get_model("newsletter", "Sender").objects
    rows = senders.values_list("client_id", "from_address", "bounce_domain")
    pairs = [(client_id, name) for client_id, *names in rows for name in names]
    import_module("registrants.migrations.0005_domains_in_use").allow_what_is_used(apps, pairs)


class Migration(migrations.Migration):
    dependencies = [
        ("newsletter", "0010_set_aside"),
        ("registrants", "0005_domains_in_use"),
    ]
    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
