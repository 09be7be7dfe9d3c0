"""Figures in the words staff read them in: numbers, rates, and what a rate is over."""

from dataclasses import dataclass

from newsletter.models import Mailing
from tracking.reporting.totals import Counts, Reaction, Summary


@dataclass(frozen=True)
class Card:
    """One number with what it is, its rate, and what that rate leaves out."""

    label: str
    number: int
    rate: str = ""
    note: str = ""


def percent(part: float | None) -> str:
    """Return a share of 1 as a percentage, empty where there is none."""
    if part is None:
        return ""
    return f"{part * 100:.1f} %" if part < 0.9995 else "100 %"


def cards(mailing: Mailing, summary: Summary) -> list[Card]:
    """Return the numbers a report begins with; a notice is not measured.

    See docs/architecture.md, "Tracked only where allowed".
    """
    counts, reaction = summary.counts, summary.reaction
    first = [Card("sent", counts.sent, note=_rest(counts))]
    if mailing.kind != Mailing.Kind.CAMPAIGN:
        return [*first, Card("failed", counts.failed), Card("refused", counts.refused)]
    return first + _reactions(counts, reaction, summary)


def _reactions(counts: Counts, reaction: Reaction, summary: Summary) -> list[Card]:
    return [
        Card(
            "opened",
            reaction.opened_people,
            percent(summary.open_rate),
            _over(reaction.opened_times, counts.tracked_opens, summary.opens_untracked),
        ),
        Card(
            "clicked",
            reaction.clicked_people,
            percent(summary.click_rate),
            _over(reaction.clicked_times, counts.tracked_clicks, summary.clicks_untracked),
        ),
        Card(
            "unsubscribed", reaction.unsubscribed, percent(summary.unsubscribe_rate), "of all sent"
        ),
    ]


def _rest(counts: Counts) -> str:
    """Return what else became of it, where there is something."""
    rest = [
        (counts.waiting, "waiting"),
        (counts.deferred, "deferred"),
        (counts.failed, "failed"),
        (counts.refused, "refused"),
        (counts.unknown, "unknown"),
    ]
    return ", ".join(f"{count:,} {word}" for count, word in rest if count)


def _over(times: int, tracked: int, untracked: float | None) -> str:
    """Say how often, over how many, and what share was not measured (L-46)."""
    if untracked is None:
        return "nothing was sent"
    if not tracked:
        return "nobody who got it allows this to be measured"
    how_often = "once" if times == 1 else f"{times:,} times"
    return f"{how_often}; over {tracked:,} measured mails, {percent(untracked)} are not measured"
