"""Who stands in for whom ends at the wall between clients, and where it would go round."""

import pytest

from newsletter.models import Sender
from newsletter.senders import failover
from registrants.models import Client
from tests.cast import Cast, make_sender

pytestmark = pytest.mark.django_db


def standing_in(client: Client, behind: Sender) -> Sender:
    """Return a new sender of a client that stands in for another one."""
    sender = make_sender(client, name=f"Behind {behind.pk}", is_default=False)
    behind.fallback = sender
    behind.save()
    return sender


def test_nobody_stands_in_from_behind_another_clients_sender(cast: Cast) -> None:
    other = Client.objects.exclude(pk=cast.client.pk).first() or Client.objects.create(
        name="Another", slug="another"
    )
    foreign = standing_in(other, cast.sender)
    standing_in(cast.client, foreign)
    assert failover.chain(cast.sender) == [cast.sender]


def test_a_chain_that_goes_round_ends_where_it_began(cast: Cast) -> None:
    second = standing_in(cast.client, cast.sender)
    second.fallback = cast.sender
    second.save()
    assert failover.chain(cast.sender) == [cast.sender, second]
