"""Domains and link hosts are checked by the one rule for host names."""

import registrants.models.client
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrants', '0002_one_index_by_list'),
    ]

    operations = [
        migrations.AlterField(
            model_name='client',
            name='domain',
            field=models.CharField(help_text="the client's own domain: in Message-ID and List-Id", max_length=120, validators=[registrants.models.client.host_name]),
        ),
        migrations.AlterField(
            model_name='client',
            name='link_host',
            field=models.CharField(blank=True, help_text="host of the links in mail, at most 28 characters so that they stay within 75; empty: the installation's own", max_length=28, validators=[registrants.models.client.host_name]),
        ),
    ]
