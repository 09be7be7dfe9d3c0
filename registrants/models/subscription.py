"""Where one registrant stands on one list; it ends with a reason and is never deleted."""

import pgtrigger
from django.db import models
from django.db.models import Q

from registrants.models.mailing_list import MailingList
from registrants.models.registrant import Registrant
from registrants.models.scope import Scoped


class Subscription(models.Model):
    """Pending, confirmed or ended; written by registrants.consent alone."""

    CLIENT_PATH = "mailing_list__client"

    class State(models.TextChoices):
        """The three places a subscription can stand."""

        PENDING = "pending", "pending"
        CONFIRMED = "confirmed", "confirmed"
        ENDED = "ended", "ended"

    class Ended(models.TextChoices):
        """Why a subscription ended."""

        UNSUBSCRIBED = "unsubscribed", "unsubscribed"
        COMPLAINED = "complained", "marked as spam"
        NEVER_MAIL = "never_mail", "never mail me"
        NOT_ME = "not_me", "did not sign up"
        BOUNCED = "bounced", "address does not exist"
        ERASED = "erased", "erased"
        STAFF = "staff", "ended by staff"

    registrant = models.ForeignKey(
        Registrant, on_delete=models.DO_NOTHING, related_name="subscriptions"
    )
    mailing_list = models.ForeignKey(
        MailingList,
        on_delete=models.PROTECT,
        related_name="subscriptions",
        db_index=False,  # the unique one begins with it; a choice misleads the planner
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    ended_reason = models.CharField(max_length=20, choices=Ended.choices, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = Scoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["mailing_list", "registrant"], name="subscribed_once"),
            models.CheckConstraint(
                condition=(
                    Q(state="pending", confirmed_at=None, ended_at=None, ended_reason="")
                    | Q(
                        state="confirmed",
                        confirmed_at__isnull=False,
                        ended_at=None,
                        ended_reason="",
                    )
                    | (Q(state="ended", ended_at__isnull=False) & ~Q(ended_reason=""))
                ),
                name="subscription_state_and_times_agree",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.registrant_id} on {self.mailing_list_id}: {self.state}"
