"""A domain, with all below it, is allowed to one client; the database holds that too."""

import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('registrants', '0003_one_rule_for_hosts'),
    ]

    operations = [
        migrations.CreateModel(
            name='ClientDomain',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='such as heron.example, with all that ends in .heron.example; where anybody can have a mailbox, as at gmail.com: the one address', max_length=254, verbose_name='domain')),
                ('allowed_by', models.BigIntegerField(editable=False, help_text='who of staff; empty: it was in use before', null=True)),
                ('allowed_at', models.DateTimeField(auto_now_add=True)),
                ('is_contested', models.BooleanField(default=False, editable=False, help_text='another client used it, or one above or below it, before domains were allowed')),
                ('client', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='domains', to='registrants.client')),
            ],
            options={
                'verbose_name': 'domain',
                'ordering': ['name', 'client'],
                'constraints': [models.UniqueConstraint(fields=('client', 'name'), name='client_domain_once'), models.UniqueConstraint(condition=models.Q(('is_contested', False)), fields=('name',), name='client_domain_one_client'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='client_domain_is_not_empty')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='clientdomain',
            trigger=pgtrigger.compiler.Trigger(name='one_client', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF NEW.is_contested THEN\n    RETURN NEW;\nEND IF;\nPERFORM pg_advisory_xact_lock(hashtext(TG_TABLE_NAME));\nIF EXISTS (\n    SELECT FROM registrants_clientdomain AS other\n    WHERE other.client_id <> NEW.client_id AND (\n        other.name = NEW.name\n        OR (position('@' IN other.name) = 0\n            AND right(NEW.name, length(other.name) + 1) IN ('.' || other.name, '@' || other.name))\n        OR (position('@' IN NEW.name) = 0\n            AND right(other.name, length(NEW.name) + 1) IN ('.' || NEW.name, '@' || NEW.name))))\nTHEN\n    RAISE EXCEPTION 'this domain, or one above or below it, belongs to another client'\n        USING ERRCODE = 'exclusion_violation';\nEND IF;\nRETURN NEW;\n", hash='6481fd04b3996c71b06ea22003ff85e8da6678e3', operation='INSERT OR UPDATE', pgid='pgtrigger_one_client_430cf', table='registrants_clientdomain', when='BEFORE')),
        ),
    ]
