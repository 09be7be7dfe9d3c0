"""The facts about what goes out, one model a file."""

from newsletter.models.campaign import Campaign
from newsletter.models.delivery import Delivery
from newsletter.models.lease import Lease
from newsletter.models.link import Link
from newsletter.models.mailing import Mailing
from newsletter.models.notice import Notice
from newsletter.models.pace_rule import PaceRule
from newsletter.models.receiver import Receiver, ReceivingDomain
from newsletter.models.sender import Sender
from newsletter.models.set_aside import SetAside
from newsletter.models.template import Template

__all__ = [
    "Campaign",
    "Delivery",
    "Lease",
    "Link",
    "Mailing",
    "Notice",
    "PaceRule",
    "Receiver",
    "ReceivingDomain",
    "Sender",
    "SetAside",
    "Template",
]
