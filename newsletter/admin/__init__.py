"""The staff pages about what goes out: senders, layouts, campaigns, notices, deliveries."""

from newsletter.admin.campaign import CampaignPage
from newsletter.admin.delivery import DeliveryPage
from newsletter.admin.notice import NoticePage
from newsletter.admin.sender import SenderPage
from newsletter.admin.template import TemplatePage

__all__ = ["CampaignPage", "DeliveryPage", "NoticePage", "SenderPage", "TemplatePage"]
