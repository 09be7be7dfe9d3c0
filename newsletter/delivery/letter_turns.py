"""Send the letters that are due: clients take turns, and what fails for one holds up nobody."""

import time
from datetime import timedelta
from functools import lru_cache, partial
from typing import Final, NamedTuple

from newsletter import letters, sandbox
from newsletter.content import compiling
from newsletter.delivery import beside, leasing, recovering
from newsletter.delivery.by_chain import send_by_chain
from newsletter.delivery.journal import keep_journal
from newsletter.delivery.leasing import LeaseInHand
from newsletter.delivery.prefetching import WindowFeed
from newsletter.delivery.run import RunContent
from newsletter.fence import Fence, Foreseen, Step, Subject
from newsletter.models import Delivery, Lease, Sender
from newsletter.rendering.renderer import Renderer
from registrants import gate
from registrants.models import Client

AT_ONCE: Final = 20
"""Letters of one round, shared by those whose letters are due; each gets one at least."""
SERVER_LONGEST: Final = timedelta(minutes=1)
"""How long letters wait at most for a server that is away but does not keep us waiting."""


class _Kind(NamedTuple):
    """What all letters of one kind of one client have in common."""

    subject: Subject
    renderer: Renderer
    sender: Sender
    question: gate.Question


def send_round(fence: Fence, deadline: float) -> bool:
    """Send some of every client's letters that are due; False where none went."""
    by_client: dict[int, list[Subject]] = {}
    kinds = 0
    for client, letter in leasing.letters_due():
        subject = Subject(Step.LETTERS, client=client, letter=letter)
        if not fence.is_held(subject) and not beside.is_busy(client):
            by_client.setdefault(client, []).append(subject)
            kinds += 1
    sent = 0
    for client, subjects in by_client.items():
        act = partial(_send_some, fence, subjects, max(1, AT_ONCE // kinds), deadline)
        sent += beside.take_turn(client, act, seconds=beside.OVERTIME) or 0
    return sent > 0


def _send_some(fence: Fence, subjects: list[Subject], most: int, deadline: float) -> int:
    """Send some letters of each kind of one client; return how many."""
    sent = 0
    for subject in subjects:
        left = most
        with fence.around(subject):
            kind = _kind(subject)
            while left and time.monotonic() < deadline and _send_next(fence, kind, deadline):
                left, sent = left - 1, sent + 1
    return sent


def _kind(subject: Subject) -> _Kind:
    """Return what a client's letters of a kind need; raises Foreseen for what cannot leave."""
    client = Client.objects.get(pk=subject.client or 0)
    source = letters.source(client, subject.letter)
    try:
        renderer = _renderer(source)
    except compiling.SourceErrors as faults:
        raise Foreseen(f"The letter cannot be made: {faults}") from None
    question = gate.Question(kind=letters.kind_of(subject.letter), client=client.pk)
    return _Kind(subject, renderer, letters.sender_of(client), question)


def _send_next(fence: Fence, kind: _Kind, deadline: float) -> bool:
    """Send the oldest letter of a kind; False where none is due, or it went wrong.

    Raises Foreseen where the mail server is away. What goes wrong unforeseen is put right by its
    journal at once, and that letter is set aside alone.
    """
    attempt = leasing.new_attempt()
    lease: LeaseInHand | None = None
    try:
        with keep_journal(attempt) as journal:
            lease = leasing.take_letter(kind.subject.client or 0, kind.subject.letter, attempt)
            if lease is None:
                return False
            if (until := fence.held_until(_alone(kind, lease))) is not None:
                leasing.give_back(lease)
                leasing.put_off(lease, until=until)
                return True
            with WindowFeed(
                lane=Lease.Lane.LETTERS, mailing=None, attempt=attempt, at_once=lease
            ) as feed:
                delivery = Delivery.objects.select_related("registrant__client").get(pk=lease.first)
                feed.question = kind.question
                values = letters.letter_values(delivery)
                content = RunContent(kind="letter", renderer=kind.renderer, extra=values)
                stuck = send_by_chain(kind.sender, content, feed, journal, deadline, None)
    except Exception as fault:
        if lease is None:
            raise
        return _set_aside(fence, kind, lease, fault)
    fence.came_through(_alone(kind, lease))
    if stuck is not None:
        reason = f"The mail server cannot be used at present: {stuck}"
        longest = max(SERVER_LONGEST, stuck.again_in)
        raise Foreseen(reason, again_in=stuck.again_in, longest=longest)
    return True


def _alone(kind: _Kind, lease: LeaseInHand) -> Subject:
    """Return the subject of one letter alone."""
    return kind.subject._replace(step=Step.LETTER, number=lease.first)


def _set_aside(fence: Fence, kind: _Kind, lease: LeaseInHand, fault: Exception) -> bool:
    with fence.around(_alone(kind, lease)) as this:
        recovering.recover_attempt(lease.attempt)
        raise fault
    if this.failure is not None and not leasing.put_off(lease, until=this.failure.due_at):
        fence.came_through(_alone(kind, lease))  # its journal knew how it ended
    return False


@lru_cache(maxsize=64)
def _renderer(source: compiling.Source) -> Renderer:
    compiled = sandbox.compile_mail(source)
    return Renderer(compiled, link_ids=[0] * len(compiled.links))
