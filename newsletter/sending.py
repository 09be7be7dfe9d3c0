"""Take what is due, hand it over through the gate, put it on the wire, settle it."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.utils import formatdate
from functools import lru_cache

from django.db.models import Q
from django.utils.timezone import now

from newsletter import approving, composing, leasing, letters, links, notes, outgoing
from newsletter.audience import question
from newsletter.handing_over import LARGEST_WINDOW, Ready, hand_over, settle
from newsletter.leasing import Held
from newsletter.models import Delivery, Lease, Mailing, Sender
from newsletter.rendering import Person, Renderer, Unrenderable
from newsletter.transports import Message, Outcome, Unavailable
from registrants import gate

log = logging.getLogger(__name__)
TRY_AGAIN = timedelta(seconds=10)
STALE_AFTER = 1.2
"""Seconds after hand-over when what is not yet on the wire goes back: no mail leaves on an answer
of the gate older than two seconds (design.md §5)."""

_pace: dict[int, float] = {}
"""Messages a second each sender managed lately, in this process."""


@dataclass(frozen=True)
class Line:
    """What one window needs between the two transactions."""

    sender: Sender
    renderer: Renderer
    question: gate.Question
    bounce_domain: str


def serve(*, lanes: tuple[str, ...], seconds: float) -> bool:
    """Work off what is due, the first lane first; return whether the time ran out before it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_serve_lane(lane, deadline) for lane in lanes):
            return False
    return True


def _serve_lane(lane: str, deadline: float) -> bool:
    if lane == Lease.Lane.LETTERS:
        held = leasing.take(lane, None)
        if held is not None:
            _work_letter(held)
        return held is not None
    for mailing in _running(lane):
        held = leasing.take(lane, mailing.pk)
        if held is not None:
            _work(held, mailing, deadline)
            return True
    return False


def _running(lane: str) -> list[Mailing]:
    kind = Mailing.Kind.CAMPAIGN if lane == Lease.Lane.CAMPAIGNS else Mailing.Kind.NOTICE
    running = Mailing.objects.filter(kind=kind, state=Mailing.State.SENDING)
    ready = running.filter(Q(waiting_until=None) | Q(waiting_until__lte=now()))
    return list(ready.defer("body", "compiled", "left_out").order_by("?")[:20])


def _work(held: Held, mailing: Mailing, deadline: float) -> None:
    """Send a range of one mailing, window by window, until it is done or time is up.

    What goes wrong unforeseen leaves the lease and its notes standing: recovering puts them right.
    """
    with notes.keeping(held.attempt) as noted:
        line = _line(mailing.pk)
        while time.monotonic() < deadline and _send_window(held, line, noted, mailing):
            pass
        leasing.give_back(held)


def _send_window(held: Held, line: Line, noted: notes.Notes, mailing: Mailing) -> bool:
    """Hand over and send one window; False where none is left or the mail server is away."""
    window = _window(line.sender.pk)
    ready, taken = hand_over(held=held, question=line.question, window=window)
    if not taken:
        return False
    trouble = _carry(held, line, ready, noted)
    if trouble:
        approving.wait(mailing=mailing.pk, reason=trouble, until=now() + TRY_AGAIN)
        return False
    if mailing.waiting_reason:
        approving.go_on(mailing=mailing.pk)
        mailing.waiting_reason = ""
    return True


@lru_cache(maxsize=8)
def _renderer(mailing: int) -> Renderer:
    """Return the renderer of a mailing; what is compiled never changes once it is staged."""
    found = Mailing.objects.get(pk=mailing)
    compiled = composing.CompiledMail.load(bytes(found.compiled or b""))
    link_ids = list(found.links.order_by("position").values_list("pk", flat=True))
    never_rewritten = [0] * len(compiled.links)
    return Renderer(compiled, mailing=mailing, link_ids=link_ids or never_rewritten)


def _line(mailing: int) -> Line:
    found = Mailing.objects.select_related("sender").defer("compiled", "body").get(pk=mailing)
    return Line(
        sender=found.sender,
        renderer=_renderer(mailing),
        question=question(found),
        bounce_domain=found.sender.envelope_domain,
    )


def _work_letter(held: Held) -> None:
    """Send one letter; where its mail server is away it is tried again in some seconds."""
    again = timedelta(0)
    with notes.keeping(held.attempt) as noted:
        try:
            if _send_letter(held, noted):
                again = TRY_AGAIN
        except letters.NoSender as missing:
            log.error("letter %s waits: %s", held.first, missing)
            again = timedelta(minutes=1)
        leasing.give_back(held, again_in=again)


def _send_letter(held: Held, noted: notes.Notes) -> str:
    """Hand over and send the one letter of a lease; return why it must wait, or nothing."""
    delivery = Delivery.objects.select_related("registrant__client").get(pk=held.first)
    client = delivery.registrant.client
    sender = letters.sender_of(client)
    line = Line(
        sender=sender,
        renderer=_letter_renderer(letters.source(client, delivery.letter)),
        question=gate.Question(kind=letters.kind_of(delivery.letter), client=client.pk),
        bounce_domain=sender.envelope_domain,
    )
    ready, _ = hand_over(held=held, question=line.question, window=1)
    return _carry(held, line, ready, noted, extra=letters.extra(delivery))


@lru_cache(maxsize=64)
def _letter_renderer(source: composing.Source) -> Renderer:
    compiled = composing.compile_mail(source)
    return Renderer(compiled, link_ids=[0] * len(compiled.links))


def _window(sender: int) -> int:
    """Return how many to hand over at once: what the wire took in 0.8 s lately, 1 to 500."""
    return max(1, min(LARGEST_WINDOW, int(_pace.get(sender, 125.0) * 0.8)))


def _carry(
    held: Held,
    line: Line,
    ready: list[Ready],
    noted: notes.Notes,
    *,
    extra: dict[str, str] | None = None,
) -> str:
    """Put a handed-over window on the wire and settle it; return why it must wait, or nothing."""
    if not ready:
        return ""
    began = time.monotonic()
    pulled: set[int] = set()
    outcomes: dict[int, Outcome] = {}
    trouble = ""
    try:
        messages = _messages(line, ready, pulled, outcomes, extra, began + STALE_AFTER)
        for outcome in outgoing.wire(line.sender).send(messages, noted=noted):
            outcomes[outcome.delivery] = outcome
    except (Unavailable, ValueError) as away:
        trouble = f"The mail server cannot be used: {away}"
    finally:
        settle(held=held, outcomes=_all_outcomes(ready, pulled, outcomes))
        noted.settled()
    _note_pace(line.sender.pk, len(outcomes), time.monotonic() - began)
    return trouble or _broken(outcomes)


def _messages(
    line: Line,
    ready: list[Ready],
    pulled: set[int],
    outcomes: dict[int, Outcome],
    extra: dict[str, str] | None,
    stale_at: float,
) -> Iterator[Message]:
    """Render each person's mail as the wire has room for it; stop where the gate's word is old."""
    date = formatdate(usegmt=True).encode()
    domain, render = line.bounce_domain, line.renderer.render
    for each in ready:
        if time.monotonic() > stale_at:
            return
        try:
            data = render(Person(*each, extra), date=date)
        except Exception as fault:  # one person's data must not stop the others
            why = str(fault) if isinstance(fault, Unrenderable) else type(fault).__name__
            log.error("delivery %s cannot be rendered: %s", each.delivery, why)
            words = f"could not be rendered: {why}"
            outcomes[each.delivery] = Outcome(each.delivery, "failed", 0, "", words)
            continue
        pulled.add(each.delivery)
        yield Message(each.delivery, links.verp(each.delivery, domain), each.address, data)


def _all_outcomes(
    ready: list[Ready], pulled: set[int], outcomes: dict[int, Outcome]
) -> list[Outcome]:
    """Return one outcome each: what the wire never asked for is unsent, what it lost unknown."""
    nothing = "the connection was lost before the server answered"
    return [
        outcomes.get(each.delivery)
        or (
            Outcome(each.delivery, "unknown", 0, "", nothing)
            if each.delivery in pulled
            else Outcome(each.delivery, "unsent", 0, "", "")
        )
        for each in ready
    ]


def _note_pace(sender: int, count: int, seconds: float) -> None:
    if count:
        _pace[sender] = 0.5 * _pace.get(sender, 125.0) + 0.5 * count / max(seconds, 0.001)


def _broken(outcomes: dict[int, Outcome]) -> str:
    """Return the server's words where it broke off and left messages unsent."""
    unsent = [each for each in outcomes.values() if each.state == "unsent"]
    return f"The mail server broke off: {unsent[0].words}" if unsent else ""
