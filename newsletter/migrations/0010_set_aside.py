"""What fails is set aside; a letter's lease says whose letter it is, so that clients take turns."""

import django.db.models.deletion
from django.db import migrations, models


def name_open_letters(apps, schema_editor):
    """Say of the letters that are still to go whose they are, and which."""
    letters = apps.get_model("newsletter", "Delivery").objects.filter(pk=models.OuterRef("first"))
    apps.get_model("newsletter", "Lease").objects.filter(lane="letters", closed_at=None).update(
        client_id=models.Subquery(letters.values("registrant__client_id")[:1]),
        letter=models.Subquery(letters.values("letter")[:1]),
    )


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0009_microsoft_365'),
        ('registrants', '0002_one_index_by_list'),
    ]

    operations = [
        migrations.CreateModel(
            name='SetAside',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('start', 'starting at its time'), ('stage', 'staging'), ('send', 'sending'), ('close', 'closing what is cancelled'), ('finish', 'calling it sent'), ('letters', 'sending letters'), ('letter', 'sending one letter'), ('recover', 'freeing what a lost worker held'), ('receivers', 'looking up mail servers'), ('drain', 'noting opens and clicks')], max_length=9)),
                ('letter', models.CharField(blank=True, max_length=10)),
                ('number', models.BigIntegerField(help_text='the delivery, range or attempt, if one', null=True)),
                ('reason', models.CharField(max_length=500)),
                ('is_systems', models.BooleanField(default=False, help_text="the database or Redis broke off; it may be nobody's fault")),
                ('times', models.PositiveIntegerField(default=1)),
                ('since', models.DateTimeField()),
                ('last_at', models.DateTimeField()),
                ('due_at', models.DateTimeField(help_text='when it is tried again')),
            ],
        ),
        migrations.AddField(
            model_name='lease',
            name='client',
            field=models.ForeignKey(db_constraint=False, db_index=False, help_text='whose letter it is', null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='registrants.client'),
        ),
        migrations.AddField(
            model_name='lease',
            name='letter',
            field=models.CharField(blank=True, db_default='', help_text='which letter it is', max_length=10),
        ),
        migrations.AddIndex(
            model_name='lease',
            index=models.Index(condition=models.Q(('closed_at', None), ('lane', 'letters')), fields=['client', 'letter', 'due_at'], name='lease_open_letters'),
        ),
        migrations.AddField(
            model_name='setaside',
            name='client',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='registrants.client'),
        ),
        migrations.AddField(
            model_name='setaside',
            name='mailing',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='set_aside', to='newsletter.mailing'),
        ),
        migrations.AddConstraint(
            model_name='setaside',
            constraint=models.UniqueConstraint(fields=('step', 'mailing', 'client', 'letter', 'number'), name='set_aside_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='setaside',
            constraint=models.CheckConstraint(condition=models.Q(('mailing', None), ('letter', ''), _connector='OR'), name='set_aside_mailing_or_letter'),
        ),
        migrations.RunPython(name_open_letters, migrations.RunPython.noop),
    ]
