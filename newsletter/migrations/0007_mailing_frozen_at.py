"""When a mailing was frozen; what is staged already was frozen when it started."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0006_lease_waits_for_person")]

    operations = [
        migrations.AddField("mailing", "frozen_at", models.DateTimeField(null=True, editable=False)),
        migrations.RunSQL(
            "UPDATE newsletter_mailing SET frozen_at = started_at WHERE compiled IS NOT NULL",
            migrations.RunSQL.noop,
        ),
        migrations.AddConstraint(
            "mailing",
            models.CheckConstraint(
                condition=~Q(state="draft") | Q(compiled=None, frozen_at=None),
                name="mailing_draft_is_not_frozen",
            ),
        ),
    ]
