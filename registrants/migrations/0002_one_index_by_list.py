"""One index less: the unique one of list and registrant begins with the list."""


import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrants', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='subscription',
            name='mailing_list',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='subscriptions', to='registrants.mailinglist'),
        ),
    ]
