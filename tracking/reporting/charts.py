"""Figures over time as a picture: where each point lies, and the words that say the same."""

import zoneinfo
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracking.reporting.totals import Bucket, ReportTotals

CHART_WIDTH, CHART_HEIGHT = 1000, 240


@dataclass(frozen=True)
class ChartLine:
    """One line of the chart: its points for SVG, and its area down to the ground."""

    name: str
    points: str
    area: str
    total: int


@dataclass(frozen=True)
class Chart:
    """A chart of what happened over time, with its scale, its ends and the same as a table."""

    lines: list[ChartLine]
    scale: list[int]
    marks: list[str]
    words: str
    each: str
    table: list[tuple[str, int, int, int]]


def chart(report: ReportTotals, time_zone: str) -> Chart | None:
    """Return the chart of a report on a client's clock; None where nothing happened yet."""
    zone = zoneinfo.ZoneInfo(time_zone)
    series, step = _shown(report.series), report.step
    if not series:
        return None
    opened, clicked = [bucket.opened for bucket in series], [bucket.clicked for bucket in series]
    top = _round_up(max(*opened, *clicked, 2))
    when = [_moment(bucket.at.astimezone(zone), step) for bucket in series]
    return Chart(
        lines=[_line("opened", opened, top), _line("clicked", clicked, top)],
        scale=[top, top // 2, 0],
        marks=[when[0], when[len(when) // 2], when[-1]] if len(when) > 2 else when,
        words=_words(series, when, _each(step)),
        each=_each(step),
        table=[
            (at, bucket.opened, bucket.clicked, bucket.unsubscribed)
            for at, bucket in zip(when, series, strict=True)
            if bucket.opened or bucket.clicked or bucket.unsubscribed
        ],
    )


def _shown(series: tuple[Bucket, ...]) -> tuple[Bucket, ...]:
    """Return the series without the still time after the last event."""
    last = 0
    for number, bucket in enumerate(series, 1):
        if bucket.opened or bucket.clicked or bucket.unsubscribed:
            last = number
    return series[: last + 1] if last else ()


def _line(name: str, values: list[int], top: int) -> ChartLine:
    """Return a line that begins and ends on the ground, so that one step alone is seen too."""
    step = CHART_WIDTH / len(values)
    points = [((number + 0.5) * step, value) for number, value in enumerate(values)]
    points = [(0.0, 0), *points, (float(CHART_WIDTH), values[-1] if len(values) > 1 else 0)]
    drawn = " ".join(f"{x:.1f},{CHART_HEIGHT - y * CHART_HEIGHT / top:.1f}" for x, y in points)
    return ChartLine(
        name, drawn, f"{drawn} {CHART_WIDTH},{CHART_HEIGHT} 0,{CHART_HEIGHT}", sum(values)
    )


def _round_up(value: int) -> int:
    """Return the next even number of two digits that stands above a value."""
    step: int = 10 ** max(0, len(str(value)) - 2) * 2
    return -(-value // step) * step


def _moment(at: datetime, step: timedelta) -> str:
    return f"{at:%-d %b}" if step >= timedelta(days=1) else f"{at:%-d %b %H:%M}"


def _each(step: timedelta) -> str:
    if step >= timedelta(days=1):
        return "day"
    return "hour" if step >= timedelta(hours=1) else "minute"


def _words(series: tuple[Bucket, ...], when: list[str], step_name: str) -> str:
    """Say in two sentences what the picture shows."""
    opened = sum(bucket.opened for bucket in series)
    clicked = sum(bucket.clicked for bucket in series)
    most = max(range(len(series)), key=lambda at: series[at].opened + series[at].clicked)
    return (
        f"{opened:,} opens and {clicked:,} clicks by the {step_name}, from {when[0]} to {when[-1]}."
        f" Most came in the {step_name} from {when[most]}: {series[most].opened:,} opens and"
        f" {series[most].clicked:,} clicks."
    )
