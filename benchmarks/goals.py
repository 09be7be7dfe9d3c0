"""The goals a run of benchmarks is held against: reads its JSON lines, prints goal by goal."""

import json
import operator
import sys
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

Line = dict[str, Any]
Lines = list[Line]


class Goal(NamedTuple):
    """One goal: what is measured, what it should be, and from where on it alarms."""

    name: str
    found: Callable[[Lines], float | None]
    at_least: bool
    goal: float
    alarm: float | None = None


def last(lines: Lines, name: str, **where: Any) -> float | None:
    """Return a figure of the last line that has it and agrees, medians before single rounds."""
    fits = [
        line
        for line in lines
        if name in line and all(line.get(key) == value for key, value in where.items())
    ]
    fits.sort(key=lambda line: "medians_of" in line)
    return float(fits[-1][name]) if fits else None


def _growth(lines: Lines) -> float | None:
    """Return the peak memory at the most registrants over that at the fewest."""
    seen = [line for line in lines if "worker_peak_mb" in line and line.get("workers") == 1]
    seen.sort(key=lambda line: line["registrants"])
    if not seen or seen[0]["registrants"] == seen[-1]["registrants"]:
        return None
    return float(seen[-1]["worker_peak_mb"] / seen[0]["worker_peak_mb"])


def _above_idle(lines: Lines) -> float | None:
    seen = [line["worker_peak_mb"] - line["worker_idle_mb"] for line in lines if _is_send(line)]
    return max(seen, default=None)


def _is_send(line: Line) -> bool:
    return "worker_peak_mb" in line and "medians_of" not in line


def _highest(lines: Lines) -> float | None:
    return max((line["worker_peak_mb"] for line in lines if _is_send(line)), default=None)


def _letters(lines: Lines) -> float | None:
    return next((line["letters"].get("p99") for line in lines if "letters" in line), None)


def _pages(lines: Lines) -> float | None:
    """Return the median of the slowest page, in ms."""
    seen = [page["p50"] for line in lines for page in line.get("pages_ms", {}).values() if page]
    return max(seen, default=None)


GOALS = (
    Goal("send, one worker, of smtp-source", lambda s: last(s, "ratio", bench="send", workers=1),
         True, 1.0, 0.7),
    Goal("send, two workers, two sinks, of two smtp-sources",
         lambda s: last(s, "ratio", bench="send", workers=2, sinks=2), True, 0.9, 0.6),
    Goal("sender CPU a message, µs",
         lambda s: last(s, "cpu_us_per_message", bench="send", workers=1), False, 100, 150),
    Goal("memory of a sending process, MB", _highest, False, 150),
    Goal("memory above idle, MB", _above_idle, False, 30),
    Goal("memory, most over fewest registrants", _growth, False, 1.1),
    Goal("staging, of INSERT … SELECT without index", lambda s: last(s, "ratio", bench="stage"),
         True, 0.4, 0.25),
    Goal("hand-over + settle, windows of 500, µs a message",
         lambda s: last(s, "ledger_us_last_tenth", bench="ledger"), False, 20),
    Goal("hand-over + settle, last tenth of first",
         lambda s: last(s, "last_of_first", bench="ledger"), False, 1.2),
    Goal("confirm letter under a running campaign, p99, s", _letters, False, 2.0),
    Goal("slowest staff page meanwhile, median, ms", _pages, False, 1000),
)  # fmt: skip


def held(goals: Iterable[Goal], lines: Lines) -> list[Line]:
    """Return one line a goal that something was measured for."""
    report_lines = []
    for goal in goals:
        value = goal.found(lines)
        if value is None:
            continue
        reaches = operator.ge if goal.at_least else operator.le
        if reaches(value, goal.goal):
            verdict = "met"
        elif goal.alarm is not None and not reaches(value, goal.alarm):
            verdict = "alarm"
        else:
            verdict = "missed"
        report_lines.append({
            "goal": goal.name,
            "found": round(value, 2),
            "wanted": f"{'≥' if goal.at_least else '≤'} {goal.goal:g}",
            "verdict": verdict,
        })  # fmt: skip
    return report_lines


def main() -> None:
    """Read JSON lines, print the goals' lines; what is not JSON is passed over."""
    lines = [json.loads(line) for line in sys.stdin if line.startswith("{")]
    for line in held(GOALS, lines):
        print(json.dumps(line, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
