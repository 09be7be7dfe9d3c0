"""A domain is checked by the one rule for host names."""

import registrants.models.client
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0007_mailing_frozen_at'),
    ]

    operations = [
        migrations.AlterField(
            model_name='sender',
            name='bounce_domain',
            field=models.CharField(blank=True, help_text='domain bounces return to; empty: that of the From address', max_length=120, validators=[registrants.models.client.host_name]),
        ),
    ]
