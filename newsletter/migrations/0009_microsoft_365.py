"""Microsoft 365 is a receiver beside Outlook.com: it gets the ceilings and domains that are its own."""

from django.db import migrations, models


DOMAINS = """
UPDATE newsletter_receivingdomain SET receiver = 13, looked_up_at = now()
WHERE (receiver = 2 AND mx NOT LIKE '%.olc.protection.outlook.com' AND mx NOT LIKE '%hotmail.com')
   OR lower(mx) LIKE '%.mx.microsoft'
"""
DOMAINS_BACK = "UPDATE newsletter_receivingdomain SET receiver = 2 WHERE receiver = 13"
RULES = """
INSERT INTO newsletter_pacerule (sender_id, receiver, per_second, connections)
SELECT sender_id, 13, per_second, connections FROM newsletter_pacerule WHERE receiver = 2
ON CONFLICT DO NOTHING
"""
RULES_BACK = "DELETE FROM newsletter_pacerule WHERE receiver = 13"


class Migration(migrations.Migration):

    dependencies = [
        ('newsletter', '0008_one_rule_for_hosts'),
    ]

    operations = [
        migrations.AlterField(
            model_name='delivery',
            name='receiver',
            field=models.SmallIntegerField(choices=[(0, 'all others'), (1, 'Gmail'), (2, 'Outlook.com'), (3, 'Yahoo'), (4, 'Apple'), (5, 'GMX and Web.de'), (6, 'Proton'), (7, 'Comcast'), (8, 'Orange'), (9, 'T-Online'), (10, 'Mail.ru'), (11, 'Tencent'), (12, 'Zoho'), (13, 'Microsoft 365')], help_text='who received it, once it was on the wire', null=True),
        ),
        migrations.AlterField(
            model_name='pacerule',
            name='receiver',
            field=models.SmallIntegerField(choices=[(0, 'all others'), (1, 'Gmail'), (2, 'Outlook.com'), (3, 'Yahoo'), (4, 'Apple'), (5, 'GMX and Web.de'), (6, 'Proton'), (7, 'Comcast'), (8, 'Orange'), (9, 'T-Online'), (10, 'Mail.ru'), (11, 'Tencent'), (12, 'Zoho'), (13, 'Microsoft 365')]),
        ),
        migrations.AlterField(
            model_name='receivingdomain',
            name='receiver',
            field=models.SmallIntegerField(choices=[(0, 'all others'), (1, 'Gmail'), (2, 'Outlook.com'), (3, 'Yahoo'), (4, 'Apple'), (5, 'GMX and Web.de'), (6, 'Proton'), (7, 'Comcast'), (8, 'Orange'), (9, 'T-Online'), (10, 'Mail.ru'), (11, 'Tencent'), (12, 'Zoho'), (13, 'Microsoft 365')], default=0),
        ),
        migrations.RunSQL(DOMAINS, DOMAINS_BACK),
        migrations.RunSQL(RULES, RULES_BACK),
    ]
