"""The warm-up of a sender as a picture: a bar for each day, and what was sent today."""

from dataclasses import dataclass
from datetime import date

from newsletter.senders.warm_up import Plan

CURVE_WIDTH, CURVE_HEIGHT = 1000, 240


@dataclass(frozen=True)
class Bar:
    """The ceiling of one day, in the units of the picture."""

    x: float
    y: float
    width: float
    height: float
    when: str
    """past, today or coming."""


@dataclass(frozen=True)
class RampChart:
    """A plan as bars, with its scale, its ends, today's count, and the same in words."""

    bars: list[Bar]
    sent: Bar | None
    scale: list[int]
    marks: list[str]
    words: str
    table: list[tuple[str, int]]


def ramp_chart(plan: Plan, today: date, sent: int | None) -> RampChart:
    """Return the picture of a plan; `sent` is today's count on the client's clock."""
    days = plan.days() or [(plan.on, plan.until)]
    top = max(*(ceiling for _, ceiling in days), sent or 0, 2)
    step = CURVE_WIDTH / len(days)
    bars = [
        _bar(number, step, ceiling, top, _when(day, today))
        for number, (day, ceiling) in enumerate(days)
    ]
    number = (today - plan.on).days
    runs = 0 <= number < len(days)
    names = [f"{day:%-d %b}" for day, _ in days]
    return RampChart(
        bars=bars,
        sent=_bar(number, step, sent or 0, top, "sent") if runs else None,
        scale=[top, top // 2, 0],
        marks=names if len(names) < 3 else [names[0], names[len(names) // 2], names[-1]],
        words=_words(plan, days, today, sent or 0),
        table=[(f"{day:%a, %-d %b %Y}", ceiling) for day, ceiling in days],
    )


def _bar(number: int, step: float, value: int, top: int, when: str) -> Bar:
    height = value * CURVE_HEIGHT / top
    gap = step * 0.1
    return Bar(
        x=round(number * step + gap, 2),
        y=round(CURVE_HEIGHT - height, 2),
        width=round(step - 2 * gap, 2),
        height=round(height, 2),
        when=when,
    )


def _when(day: date, today: date) -> str:
    return "today" if day == today else "past" if day < today else "coming"


def _words(plan: Plan, days: list[tuple[date, int]], today: date, sent: int) -> str:
    """Say in three sentences what the picture shows."""
    first, last = days[0], days[-1]
    sentence = (
        f"From {first[1]:,} mails on {first[0]:%-d %B %Y}, {plan.growth} % more each day, to"
        f" {last[1]:,} on {last[0]:%-d %B %Y}; no ceiling after that."
    )
    ceiling = plan.ceiling(today)
    if ceiling is None:
        return f"{sentence} It {'begins later' if today < plan.on else 'is over'}."
    return f"{sentence} Today {sent:,} of {ceiling:,} were sent."
