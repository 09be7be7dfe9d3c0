"""The table of outcomes: what each fault test found, printed and written at the end of a run."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.faults.patience import LONG

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "faults.md"
BEGIN, END = "<!-- table: written by make faults -->", "<!-- end of the table -->"
ROW = "fault"
SUMMED = (
    *("runs", "times", "messages", "accepted", "sent", "deferred", "failed", "unknown"),
    *("lost", "doubled", "untrue", "seconds"),
)
COLUMNS = (ROW, *SUMMED, "held")
Note = Callable[..., None]


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Return how a test notes a row: the fault, how often it was done, the figures.

    Rows of the same fault are added up; a row holds where it says so, else where its test passes.
    """

    def noted(fault: str, *, times: int = 1, holds: bool | None = None, **figures: float) -> None:
        record_property(ROW, {ROW: fault, "runs": 1, "times": times, "held": holds, **figures})

    return noted


def pytest_terminal_summary(
    terminalreporter: Any, exitstatus: pytest.ExitCode, config: pytest.Config
) -> None:
    """Print the table where there are rows, and write it down."""
    reports = [
        report
        for result in ("passed", "failed")
        for report in terminalreporter.stats.get(result, [])
        if report.nodeid.startswith("tests/faults/") and report.when == "call"
    ]
    rows = added_up([row for report in reports for row in rows_of(report)])
    if not rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(printed(rows))
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    (folder / "faults.json").write_text(json.dumps(rows, indent=1) + "\n")
    (folder / "faults.md").write_text(markdown(rows))
    if LONG and is_whole(config, exitstatus) and PAGE.exists():
        before, _, rest = PAGE.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(rows)}\n{END}{after}")


def is_whole(config: pytest.Config, exitstatus: pytest.ExitCode) -> bool:
    """Return whether all the fault tests ran, to the end: a part must not pass for the table."""
    ended = exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
    return ended and config.args == ["tests/faults"] and not config.option.keyword


def rows_of(report: pytest.TestReport) -> list[dict[str, Any]]:
    """Return what a test noted; one that failed beside all it noted has a row for that too."""
    properties = cast("list[tuple[str, Any]]", report.user_properties)
    noted = [dict(value) for name, value in properties if name == ROW]
    if report.failed and all(row["held"] for row in noted):
        noted.append({ROW: report.nodeid.partition("::")[2], "runs": 1, "held": False})
    return [{**row, "held": report.passed if row["held"] is None else row["held"]} for row in noted]


def added_up(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each fault, in the order of their names."""
    totals: dict[str, dict[str, Any]] = {}
    for row in rows:
        total = totals.setdefault(
            row[ROW], {ROW: row[ROW], **dict.fromkeys(SUMMED, 0), "held": True}
        )
        for name in SUMMED:
            total[name] = round(total[name] + row.get(name, 0), 1)
        total["held"] = total["held"] and row["held"]
    return sorted(totals.values(), key=lambda row: str(row[ROW]))


def cells(rows: list[dict[str, Any]]) -> list[list[str]]:
    """Return what stands in the table, its total last."""
    total: dict[str, Any] = {
        ROW: "all",
        **{name: round(sum(row[name] for row in rows), 1) for name in SUMMED},
        "held": all(row["held"] for row in rows),
    }
    return [
        [*(str(row[name]) for name in (ROW, *SUMMED)), "yes" if row["held"] else "NO"]
        for row in (*rows, total)
    ]


def printed(rows: list[dict[str, Any]]) -> str:
    """Return the table for a terminal."""
    lines = [list(COLUMNS), *cells(rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )


def markdown(rows: list[dict[str, Any]]) -> str:
    """Return the table for a page."""
    head = [f"| {' | '.join(COLUMNS)} |", f"|---{'|---:' * (len(COLUMNS) - 1)}|"]
    return "\n".join([*head, *(f"| {' | '.join(line)} |" for line in cells(rows))]) + "\n"
