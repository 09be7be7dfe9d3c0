"""A range that waits for a person's decision says so, instead of coming due in a hundred years."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("newsletter", "0005_room_for_both_updates")]
    operations = [
        migrations.AddField(
            model_name="lease",
            name="waits_for_person",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="nothing of it can go before a person decides on what is unknown",
            ),
        ),
        migrations.RunSQL(
            "UPDATE newsletter_lease SET waits_for_person = true, due_at = now()"
            " WHERE closed_at IS NULL AND due_at > now() + interval '50 years'",
            "UPDATE newsletter_lease SET due_at = now() + interval '100 years'"
            " WHERE waits_for_person",
        ),
    ]
