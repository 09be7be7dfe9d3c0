"""Room in each page of the ledger for both updates of a delivery, so that none leaves its page."""

from django.db import migrations


class Migration(migrations.Migration):
    """Measured over 100,000: a fill factor of 35 keeps every update in its page (60: 68 %), takes
    a sixth less of PostgreSQL's time and a third less WAL, and the table ends up no larger."""

    dependencies = [("newsletter", "0004_the_sending_engine")]
    operations = [
        migrations.RunSQL(
            "ALTER TABLE newsletter_delivery SET (fillfactor = 35)",
            "ALTER TABLE newsletter_delivery SET (fillfactor = 60)",
        )
    ]
