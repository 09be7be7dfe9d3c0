"""Who runs the mail servers of the people we write to, and which domain is theirs."""

from django.db import models
from django.utils.timezone import now


class Receiver(models.IntegerChoices):
    """The receivers: one pace, one queue and one mood each, told apart by MX (P-5)."""

    REST = 0, "all others"
    GMAIL = 1, "Gmail"
    OUTLOOK = 2, "Outlook.com"
    YAHOO = 3, "Yahoo"
    APPLE = 4, "Apple"
    UNITED_INTERNET = 5, "GMX and Web.de"
    PROTON = 6, "Proton"
    COMCAST = 7, "Comcast"
    ORANGE = 8, "Orange"
    T_ONLINE = 9, "T-Online"
    MAIL_RU = 10, "Mail.ru"
    TENCENT = 11, "Tencent"
    ZOHO = 12, "Zoho"
    MICROSOFT_365 = 13, "Microsoft 365"


class ReceivingDomain(models.Model):
    """A domain people have addresses at, with the receiver its MX names."""

    domain = models.CharField(max_length=253, primary_key=True)
    receiver = models.SmallIntegerField(choices=Receiver.choices, default=Receiver.REST)
    mx = models.CharField(max_length=253, blank=True)
    looked_up_at = models.DateTimeField(default=now)

    def __str__(self) -> str:
        return f"{self.domain}: {self.get_receiver_display()}"
