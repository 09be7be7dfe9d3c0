"""Anything sent to many: a campaign to one list, or a notice to one service."""

from django.db import models
from django.db.models import Q

from newsletter.formats import BodyFormat
from newsletter.models.sender import Sender
from newsletter.models.template import Template
from registrants.models import Client, MailingList, Service
from registrants.models.scope import Scoped


class Mailing(models.Model):
    """What is sent, to whom, in which state; moved by lifecycle and delivery alone."""

    class Kind(models.TextChoices):
        """The two kinds of mailing; one never becomes the other."""

        CAMPAIGN = "campaign", "campaign"
        NOTICE = "notice", "service notice"

    class State(models.TextChoices):
        """The life of a mailing."""

        DRAFT = "draft", "draft"
        SCHEDULED = "scheduled", "scheduled"
        STAGING = "staging", "being staged"
        SENDING = "sending", "going out"
        PAUSED = "paused", "paused"
        SENT = "sent", "sent"
        CANCELLED = "cancelled", "cancelled"

    class Format(models.TextChoices):
        """How the body is written."""

        MARKDOWN = BodyFormat.MARKDOWN, "Markdown"
        HTML = BodyFormat.HTML, "HTML"
        MJML = BodyFormat.MJML, "MJML"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="mailings")
    sender = models.ForeignKey(Sender, on_delete=models.PROTECT)
    mailing_list = models.ForeignKey(
        MailingList, on_delete=models.PROTECT, null=True, blank=True, related_name="mailings"
    )
    service = models.ForeignKey(
        Service, on_delete=models.PROTECT, null=True, blank=True, related_name="mailings"
    )
    template = models.ForeignKey(
        Template,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        verbose_name="layout",
        help_text="empty: the built-in layout",
    )
    subject = models.CharField(max_length=255)
    preheader = models.CharField(
        max_length=200, blank=True, help_text="the line shown after the subject in many inboxes"
    )
    body_format = models.CharField(max_length=8, choices=Format.choices, default=Format.MARKDOWN)
    body = models.TextField(blank=True)
    reason = models.TextField(
        blank=True,
        max_length=500,
        help_text="why this must reach everyone enrolled, whatever they opted out of",
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    version = models.PositiveIntegerField(default=0, editable=False)
    compiled = models.BinaryField(null=True, editable=False)
    frozen_at = models.DateTimeField(null=True, editable=False)
    staged = models.PositiveIntegerField(null=True, editable=False)
    left_out = models.JSONField(default=dict, editable=False)
    overridden = models.PositiveIntegerField(
        default=0, editable=False, help_text="opted out, and reached by this notice all the same"
    )
    waiting_reason = models.CharField(max_length=500, blank=True, editable=False)
    waiting_until = models.DateTimeField(null=True, editable=False)
    created_by = models.BigIntegerField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    scheduled_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="campaign", mailing_list__isnull=False, service=None, reason="")
                | (Q(kind="notice", mailing_list=None, service__isnull=False) & ~Q(reason="")),
                name="mailing_kind_and_audience_agree",
            ),
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(scheduled_at__isnull=False),
                name="mailing_scheduled_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("sending", "sent")) | Q(staged__isnull=False),
                name="mailing_sending_is_staged",
            ),
            models.CheckConstraint(
                condition=~Q(state="draft") | Q(compiled=None, frozen_at=None),
                name="mailing_draft_is_not_frozen",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "id"],
                condition=Q(state__in=("scheduled", "staging", "sending", "paused")),
                name="mailing_under_way",
            )
        ]

    def __str__(self) -> str:
        return self.subject
