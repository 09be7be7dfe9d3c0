"""Send by the first of a sender's servers that can be used: its own, or one that stands in."""

import time
from datetime import timedelta
from typing import Final

from accountability import audit
from newsletter import pace
from newsletter.delivery.journal import Journal
from newsletter.delivery.prefetching import WindowFeed
from newsletter.delivery.run import Run, RunContent
from newsletter.mailings import lifecycle
from newsletter.models import Mailing, Sender
from newsletter.senders import failover
from newsletter.transports import Unavailable

TRY_AGAIN: Final = timedelta(seconds=10)
COSTS: Final = 10
"""How many times as long as a server kept us waiting for nothing it is left alone."""
LONGEST_ALONE: Final = timedelta(minutes=15)


class Stuck(Exception):
    """No server of the chain can be used; says why, and when to try again."""

    def __init__(self, trouble: Unavailable, spent: float) -> None:
        super().__init__(trouble.words)
        asked = timedelta(seconds=trouble.retry_after)
        costly = min(timedelta(seconds=COSTS * spent), LONGEST_ALONE)
        self.again_in = asked or max(TRY_AGAIN, costly)


def send_by_chain(
    sender: Sender,
    content: RunContent,
    feed: WindowFeed,
    journal: Journal,
    deadline: float,
    mailing: Mailing | None,
) -> Stuck | None:
    """Send by the first of a sender's servers that can be used; return why none can."""
    trouble, spent = None, 0.0
    for route in failover.routes(sender):
        run = Run(content=content, route=route, feed=feed, journal=journal, deadline=deadline)
        began = time.monotonic()
        trouble = run.go()
        if mailing is not None and run.answered:
            _say_who_sends(mailing, route)
        if trouble is None:
            return None
        if trouble.retry_after:
            pace.record(route, [], retry_after=trouble.retry_after)
            return Stuck(trouble, 0)
        spent += 0.0 if run.answered else time.monotonic() - began
        failover.leave_alone(route, trouble)
    return Stuck(trouble or Unavailable(failover.why_none(sender)), spent)


def _say_who_sends(mailing: Mailing, route: Sender) -> None:
    """Take note that mail leaves: by its own sender, or by one that stands in."""
    if route.pk == mailing.sender_id:
        if mailing.waiting_reason:
            lifecycle.go_on(mailing=mailing.pk)
        return
    says = f"Its own mail server cannot be used; “{route.name}” stands in."
    if mailing.waiting_reason != says:
        lifecycle.wait(mailing=mailing.pk, reason=says, until=None)
        audit.record(act="stand in", subject=mailing, client=mailing.client_id, sender=route.pk)
        mailing.waiting_reason = says
