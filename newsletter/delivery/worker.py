"""Take what is due and send it: letters, notices and campaigns, each by its lane."""

import logging
import time
from datetime import timedelta
from functools import lru_cache

from django.db.models import Q
from django.db.models.functions import Now
from django.utils.timezone import now

from accountability import audit
from newsletter import letters, pace
from newsletter.content import compiling
from newsletter.delivery import leasing
from newsletter.delivery.journal import Journal, keep_journal
from newsletter.delivery.leasing import LeaseInHand
from newsletter.delivery.prefetching import WindowFeed
from newsletter.delivery.run import Run, RunContent
from newsletter.delivery.staging import LANES
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Delivery, Lease, Mailing, Sender
from newsletter.rendering.renderer import Renderer
from newsletter.senders import failover
from newsletter.transports import Unavailable
from registrants import gate

log = logging.getLogger(__name__)
TRY_AGAIN = timedelta(seconds=10)
KINDS_OF_LANES = {lane: kind for kind, lane in LANES.items()}
NOTICE_SLICE = 0.5
"""Seconds a notice may keep the worker that letters wait for."""


def serve(*, lanes: tuple[str, ...], seconds: float) -> bool:
    """Work off what is due, the first lane first; return whether the time ran out before it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_serve_lane(lane, deadline) for lane in lanes):
            return False
    return True


def _serve_lane(lane: str, deadline: float) -> bool:
    """Send some of what is due in a lane; False where nothing is."""
    if lane == Lease.Lane.LETTERS:
        return _send_letter(deadline)
    if lane == Lease.Lane.NOTICES:
        deadline = min(deadline, time.monotonic() + NOTICE_SLICE)
    return any(_send_mailing(mailing, lane, deadline) for mailing in _running(lane))


def _running(lane: str) -> list[Mailing]:
    kind = KINDS_OF_LANES[Lease.Lane(lane)]
    running = Mailing.objects.filter(kind=kind, state=Mailing.State.SENDING)
    ready = running.filter(Q(waiting_until=None) | Q(waiting_until__lte=Now()))
    return list(
        ready.select_related("sender__client", "sender__fallback")
        .defer("body", "compiled", "left_out")
        .order_by("?")[:20]
    )


def _send_mailing(mailing: Mailing, lane: str, deadline: float) -> bool:
    """Send windows of one mailing until it is done or time is up; False where nothing is due.

    What goes wrong unforeseen leaves its leases and journal standing: recovering puts them right.
    """
    if lane == Lease.Lane.CAMPAIGNS and _rests(mailing):
        return False
    attempt = leasing.new_attempt()
    with (
        keep_journal(attempt) as journal,
        WindowFeed(lane=lane, mailing=mailing.pk, attempt=attempt) as feed,
    ):
        if feed.begin() is None:
            return False
        feed.question = question(mailing)
        kind: pace.Kind = "campaign" if lane == Lease.Lane.CAMPAIGNS else "notice"
        content = RunContent(kind=kind, renderer=_renderer(mailing.pk))
        trouble = _send_by_chain(mailing.sender, content, feed, journal, deadline, mailing)
    if trouble is not None:
        _wait(mailing, trouble)
    return trouble is None


def _rests(mailing: Mailing) -> bool:
    """Tell whether a campaign is not to be touched now; have it wait for quiet hours to end."""
    if pace.rest(mailing.sender) > 0:
        return True
    until = pace.quiet_until(mailing.sender, now())
    if until is not None:
        lifecycle.wait(mailing=mailing.pk, reason="Quiet hours of its sender.", until=until)
    return until is not None


def _send_by_chain(
    sender: Sender,
    content: RunContent,
    feed: WindowFeed,
    journal: Journal,
    deadline: float,
    mailing: Mailing | None,
) -> Unavailable | None:
    """Send by the first of a sender's servers that can be used; return why none can."""
    trouble: Unavailable | None = None
    for route in failover.routes(sender):
        run = Run(content=content, route=route, feed=feed, journal=journal, deadline=deadline)
        trouble = run.go()
        if mailing is not None and run.answered:
            _say_who_sends(mailing, route)
        if trouble is None:
            return None
        if trouble.retry_after:
            pace.record(route, [], retry_after=trouble.retry_after)
            return trouble
        failover.leave_alone(route, trouble)
    return trouble or Unavailable(failover.why_none(sender))


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


def _wait(mailing: Mailing, trouble: Unavailable) -> None:
    """Have a mailing wait for its mail server, or for a person where every sender is stopped."""
    if failover.is_stopped(Sender.objects.get(pk=mailing.sender_id)):
        reason = f"The mail server cannot be used: {trouble.words}"
        lifecycle.stop(mailing=mailing.pk, reason=reason)
        return
    seconds = timedelta(seconds=trouble.retry_after) or TRY_AGAIN
    reason = f"The mail server cannot be used at present: {trouble.words}"
    lifecycle.wait(mailing=mailing.pk, reason=reason, until=now() + seconds)


@lru_cache(maxsize=8)
def _renderer(mailing_id: int) -> Renderer:
    """Return the renderer of a mailing; what is compiled never changes once it is staged."""
    mailing = Mailing.objects.get(pk=mailing_id)
    compiled = compiling.CompiledMail.load(bytes(mailing.compiled or b""))
    link_ids = list(mailing.links.order_by("position").values_list("pk", flat=True))
    never_rewritten = [0] * len(compiled.links)
    return Renderer(compiled, mailing=mailing_id, link_ids=link_ids or never_rewritten)


def _send_letter(deadline: float) -> bool:
    """Send one letter; where its mail server is away it is tried again in some seconds."""
    attempt = leasing.new_attempt()
    again: timedelta | None = None
    with (
        keep_journal(attempt) as journal,
        WindowFeed(lane=Lease.Lane.LETTERS, mailing=None, attempt=attempt, at_once=True) as feed,
    ):
        lease = feed.begin()
        if lease is None:
            return False
        try:
            if _send_leased_letter(lease, feed, journal, deadline):
                again = TRY_AGAIN
        except letters.NoSender as missing:
            log.error("letter %s waits: %s", lease.first, missing)
            again = timedelta(minutes=1)
    if again is not None:
        leasing.put_off(lease, again)
    return True


def _send_leased_letter(
    lease: LeaseInHand, feed: WindowFeed, journal: Journal, deadline: float
) -> Unavailable | None:
    """Claim and send the one letter of a lease; return why it must wait."""
    delivery = Delivery.objects.select_related("registrant__client").get(pk=lease.first)
    client = delivery.registrant.client
    feed.question = gate.Question(kind=letters.kind_of(delivery.letter), client=client.pk)
    renderer = _letter_renderer(letters.source(client, delivery.letter))
    content = RunContent(kind="letter", renderer=renderer, extra=letters.letter_values(delivery))
    return _send_by_chain(letters.sender_of(client), content, feed, journal, deadline, None)


@lru_cache(maxsize=64)
def _letter_renderer(source: compiling.Source) -> Renderer:
    compiled = compiling.compile_mail(source)
    return Renderer(compiled, link_ids=[0] * len(compiled.links))
