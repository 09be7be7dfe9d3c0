"""Celery as it is, on a machine that is not: its clock is off, or its broker impatient.

``clock=-300 visibility=1 -- worker -Q bulk`` shifts what Python takes for the time by so many
seconds, and has Redis give an unanswered task to another worker after so many.
"""

import sys
from datetime import UTC, datetime, timedelta

import time_machine
from celery.__main__ import main


def begin(words: list[str]) -> None:
    """Make the machine odd, then be Celery."""
    cut = words.index("--")
    said = dict(word.split("=") for word in words[:cut])
    if "clock" in said:
        there = datetime.now(UTC) + timedelta(seconds=float(said["clock"]))
        time_machine.travel(there, tick=True).start()
    if "visibility" in said:
        from config.celery import app

        app.conf.broker_transport_options["visibility_timeout"] = float(said["visibility"])
    sys.argv = ["celery", "-A", "config", *words[cut + 1 :]]
    main()


if __name__ == "__main__":
    begin(sys.argv[1:])
