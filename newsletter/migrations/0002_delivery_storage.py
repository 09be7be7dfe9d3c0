"""Room in each page of the ledger, so that settling a delivery rewrites it in place."""

from django.db import migrations


class Migration(migrations.Migration):
    """Fill factor and vacuum of the hottest table (limits measured: windows of 500, flat cost)."""

    dependencies = [("newsletter", "0001_initial")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE newsletter_delivery SET (fillfactor = 60,"
            " autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.1);"
            "ALTER TABLE newsletter_lease SET (fillfactor = 50)",
            "ALTER TABLE newsletter_delivery RESET (fillfactor, autovacuum_vacuum_scale_factor,"
            " autovacuum_vacuum_insert_scale_factor);"
            "ALTER TABLE newsletter_lease RESET (fillfactor)",
        )
    ]
