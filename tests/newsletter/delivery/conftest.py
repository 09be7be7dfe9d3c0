"""Another client beside the cast's, who must not notice what fails for the first."""

import pytest

from newsletter.models import Campaign
from tests.cast import Cast, confirmed, make_client, make_list, make_registrant, make_sender
from tests.newsletter.delivery.breaking import Others


@pytest.fixture
def others(cast: Cast) -> Others:
    client = make_client("Otter Tea", "otter")
    mailing_list = make_list(client)
    sender = make_sender(client)
    reader = make_registrant(client, "olga@example.net")
    confirmed(reader, mailing_list)
    campaign = Campaign.objects.create(
        client=client, mailing_list=mailing_list, sender=sender, subject="Tea", body="Tea for all."
    )
    return Others(client, reader, campaign)
