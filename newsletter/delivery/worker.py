"""Take what is due and send it: letters, notices and campaigns, each by its lane."""

import random
import time
from collections import Counter
from datetime import timedelta
from functools import lru_cache, partial
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Window
from django.db.models.functions import Now, Random, RowNumber
from django.utils.timezone import now

from newsletter import pace
from newsletter.content import compiling
from newsletter.delivery import beside, leasing, letter_turns, recovering
from newsletter.delivery.by_chain import Stuck, send_by_chain
from newsletter.delivery.journal import keep_journal
from newsletter.delivery.prefetching import WindowFeed
from newsletter.delivery.run import RunContent
from newsletter.delivery.staging import LANES
from newsletter.fence import Fence, Step, Subject, of_mailing
from newsletter.mailings import lifecycle
from newsletter.mailings.audience import question
from newsletter.models import Lease, Mailing, Sender
from newsletter.rendering.renderer import Renderer
from newsletter.senders import failover

KINDS_OF_LANES = {lane: kind for kind, lane in LANES.items()}
NOTICE_SLICE = 0.5
"""Seconds a notice may keep the worker that letters wait for."""
SHORTEST_TURN: Final = 1.0
"""Seconds of one mailing, where several clients' mailings share the time of a task."""
OF_ONE_CLIENT: Final = 5
"""Mailings of one client that are tried at most before it is looked again what is due."""
LONGEST_OF_ALL: Final = timedelta(seconds=20)
"""How long a whole lane waits at most after what is not one mailing's or one client's."""
MAY_GO: Final = Q(waiting_until=None) | Q(waiting_until__lte=Now())

_served_at: dict[tuple[str, int], float] = {}
"""When mail of each client was last sent by this process (time.monotonic), by lane."""


def serve(*, lanes: tuple[str, ...], seconds: float) -> bool:
    """Work off what is due, the lanes in turns; return whether the time ran out before it did.

    What fails unforeseen is set aside with its reason, and the others go on (newsletter.fence).
    """
    deadline = time.monotonic() + seconds
    fence = Fence(Step.LETTERS, Step.LETTER, Step.SEND)
    while time.monotonic() < deadline:
        went = [_serve_lane(lane, fence, deadline) for lane in lanes]
        if not any(went):
            return False
    return True


def _serve_lane(lane: str, fence: Fence, deadline: float) -> bool:
    """Send some of what is due in a lane; False where nothing is."""
    went = False
    whole = Subject(Step.LETTERS if lane == Lease.Lane.LETTERS else Step.SEND, letter=lane)
    if not fence.is_held(whole):
        with fence.around(whole, longest=LONGEST_OF_ALL):
            if lane == Lease.Lane.LETTERS:
                went = letter_turns.send_round(fence, deadline)
            else:
                went = _send_mailings(lane, fence, deadline)
    return went


def _send_mailings(lane: str, fence: Fence, deadline: float) -> bool:
    """Send of one mailing; the clients take turns."""
    due = _running(lane)
    clients = len({mailing.client_id for mailing in due}) or 1
    turn = max(SHORTEST_TURN, (deadline - time.monotonic()) / clients)
    if lane == Lease.Lane.NOTICES:
        turn = NOTICE_SLICE
    went = any(_take_turn(mailing, lane, fence, deadline, turn) for mailing in due)
    for subject in [] if due else fence.due(Step.SEND):  # nothing of it can go any more
        if subject.mailing is not None and not leasing.is_due(subject.mailing):
            fence.came_through(subject)
    return went


def _running(lane: str) -> list[Mailing]:
    """Return some mailings of each client of which something is due, in the order to try them.

    One of each client comes first, and the client this process served longest ago; of one
    client's many, chance decides.
    """
    turn = Window(RowNumber(), partition_by="client", order_by=Random())
    some = list(
        _due(lane)
        .annotate(turn=turn)
        .filter(turn__lte=OF_ONE_CLIENT)
        .select_related("sender__client", "sender__fallback")
        .defer("body", "compiled", "left_out")
    )
    random.shuffle(some)
    before: Counter[int] = Counter()
    order: dict[int, tuple[int, float]] = {}
    for mailing in some:
        served_at = _served_at.get((lane, mailing.client_id), 0.0)
        order[mailing.pk] = (before[mailing.client_id], served_at)
        before[mailing.client_id] += 1
    return sorted(some, key=lambda mailing: order[mailing.pk])


def _due(lane: str) -> QuerySet[Mailing]:
    """Return the mailings of a lane of which something may go now."""
    ranges = Lease.objects.filter(
        lane=lane,
        mailing=OuterRef("pk"),
        closed_at=None,
        attempt=None,
        due_at__lte=Now(),
        waits_for_person=False,
    )
    return Mailing.objects.filter(
        Exists(ranges),
        MAY_GO,
        kind=KINDS_OF_LANES[Lease.Lane(lane)],
        state=Mailing.State.SENDING,
    )


def _others_wait(lane: str, client: int) -> bool:
    """Tell whether another client's mailing waits, or one for being staged."""
    staging = Mailing.objects.filter(MAY_GO, state=Mailing.State.STAGING)
    return staging.exists() or _due(lane).exclude(client=client).exists()


def _take_turn(mailing: Mailing, lane: str, fence: Fence, deadline: float, seconds: float) -> bool:
    """Have a mailing take its turn; True where something went, or is still on its way."""
    if beside.is_busy(mailing.client_id):
        return False
    until = min(deadline, time.monotonic() + seconds)
    act = partial(_send_mailing, mailing, lane, fence, until)
    patience = max(0.0, until - time.monotonic()) + beside.OVERTIME
    went = beside.take_turn(
        mailing.client_id,
        act,
        seconds=patience,
        others_wait=lambda: _others_wait(lane, mailing.client_id),
    )
    return went is None or bool(went)


def _send_mailing(mailing: Mailing, lane: str, fence: Fence, deadline: float) -> bool:
    """Send windows of one mailing until it is done or time is up; False where nothing went.

    What goes wrong unforeseen is put right by its journal: what was answered is settled by its
    answer, what was in flight is unknown, and what never went is staged again.
    """
    subject = of_mailing(Step.SEND, mailing)
    went = False
    if fence.is_held(subject):
        return went
    with fence.around(subject) as this:
        this.was_made = lane != Lease.Lane.CAMPAIGNS or not _rests(mailing)
        if this.was_made:
            _served_at[lane, mailing.client_id] = time.monotonic()
            attempt = leasing.new_attempt()
            try:
                this.was_made = went = _send_under(attempt, mailing, lane, deadline)
            except Exception:
                recovering.recover_attempt(attempt)
                raise
    return went


def _send_under(attempt: int, mailing: Mailing, lane: str, deadline: float) -> bool:
    """Send under one attempt with its journal; False where nothing is due, or nothing can go."""
    with (
        keep_journal(attempt) as journal,
        WindowFeed(lane=lane, mailing=mailing.pk, attempt=attempt) as feed,
    ):
        if feed.begin() is None:
            return False
        feed.question = question(mailing)
        kind: pace.Kind = "campaign" if lane == Lease.Lane.CAMPAIGNS else "notice"
        content = RunContent(kind=kind, renderer=_renderer(mailing.pk))
        stuck = send_by_chain(mailing.sender, content, feed, journal, deadline, mailing)
    if stuck is not None:
        _wait(mailing, stuck)
    return stuck is None


def _rests(mailing: Mailing) -> bool:
    """Tell whether a campaign is not to be touched now; have it wait for quiet hours to end."""
    if pace.rest(mailing.sender) > 0:
        return True
    until = pace.quiet_until(mailing.sender, now())
    if until is not None:
        lifecycle.wait(mailing=mailing.pk, reason="Quiet hours of its sender.", until=until)
    return until is not None


def _wait(mailing: Mailing, stuck: Stuck) -> None:
    """Have a mailing wait for its mail server, or for a person where every sender is stopped."""
    if failover.is_stopped(Sender.objects.get(pk=mailing.sender_id)):
        reason = f"The mail server cannot be used: {stuck}"
        lifecycle.stop(mailing=mailing.pk, reason=reason)
        return
    reason = f"The mail server cannot be used at present: {stuck}"
    lifecycle.wait(mailing=mailing.pk, reason=reason, until=now() + stuck.again_in)


@lru_cache(maxsize=8)
def _renderer(mailing_id: int) -> Renderer:
    """Return the renderer of a mailing; what is compiled never changes once it is staged."""
    mailing = Mailing.objects.get(pk=mailing_id)
    compiled = compiling.CompiledMail.load(bytes(mailing.compiled or b""))
    link_ids = list(mailing.links.order_by("position").values_list("pk", flat=True))
    never_rewritten = [0] * len(compiled.links)
    return Renderer(compiled, mailing=mailing_id, link_ids=link_ids or never_rewritten)
