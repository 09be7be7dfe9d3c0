"""What is logged: lines of JSON, ids and counts, and no address whatever slips in."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from newsletter.delivery import staging, worker
from newsletter.mailings import lifecycle
from tests.cast import Cast, make_crowd
from tests.newsletter.conftest import smtp as smtp  # a real mail server
from tests.scripted_smtp import Moment, ScriptedSmtp


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Return what goes to the log of everything that sends."""
    handler = next(
        handler
        for handler in logging.getLogger("newsletter").handlers
        if isinstance(handler, logging.StreamHandler)
    )
    written = io.StringIO()
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def test_an_event_is_one_line_of_json(lines: io.StringIO) -> None:
    structlog.get_logger("newsletter.delivery.run").info(
        "window settled", mailing=7, sent=500, ms=41
    )
    line = json.loads(lines.getvalue())
    assert line["event"] == "window settled"
    assert (line["mailing"], line["sent"], line["ms"]) == (7, 500, 41)
    assert (line["level"], line["logger"]) == ("info", "newsletter.delivery.run")
    assert line["timestamp"].endswith("Z")


def test_what_the_standard_library_logs_is_a_line_of_json_too(lines: io.StringIO) -> None:
    logging.getLogger("newsletter.delivery.recovering").warning("lease %s freed", 5)
    assert json.loads(lines.getvalue())["event"] == "lease 5 freed"


def test_an_address_that_slips_in_is_taken_out_of_a_traceback_too(lines: io.StringIO) -> None:
    try:
        raise ValueError("Key (address)=(ada@example.net) already exists")
    except ValueError:
        logging.getLogger("newsletter.delivery.run").exception("to ada@example.net")
    assert "ada@" not in lines.getvalue()
    assert "ValueError" in json.loads(lines.getvalue())["exception"]


@pytest.mark.django_db(transaction=True)
def test_a_run_logs_a_line_for_each_window_and_no_address(
    cast: Cast, smtp: ScriptedSmtp, lines: io.StringIO
) -> None:
    def script(moment: Moment) -> bytes | None:
        if moment.step == "RCPT" and "reader1" in moment.line:
            return b"550 5.1.1 no reader1@example.net here\r\n"
        return None

    smtp.script = script
    make_crowd(cast.mailing_list, [f"reader{number}@example.net" for number in range(30)])
    campaign = cast.campaign()
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage_due()
    worker.serve(lanes=("campaigns",), seconds=20)
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    windows = [line for line in written if line["event"] == "window settled"]
    assert windows
    assert len(windows) < 31
    assert "@" not in lines.getvalue()
    assert all(line["mailing"] == campaign.pk for line in windows)
