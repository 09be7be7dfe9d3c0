"""Celery as it is, on a machine that is not: its clock is off, or its broker impatient.

``clock=-300 visibility=1 -- worker -Q bulk`` shifts what Python takes for the time by so many
seconds, and has Redis give an unanswered task to another worker after so many.
"""

import sys
from datetime import UTC, datetime, timedelta

import time_machine
from celery.__main__ import main


def begin(arguments: list[str]) -> None:
    """Make the machine odd, then be Celery."""
    cut = arguments.index("--")
    oddities = dict(word.split("=") for word in arguments[:cut])
    if "clock" in oddities:
        there = datetime.now(UTC) + timedelta(seconds=float(oddities["clock"]))
        time_machine.travel(there, tick=True).start()
    if "visibility" in oddities:
        from config.celery import app

        app.conf.broker_transport_options["visibility_timeout"] = float(oddities["visibility"])
    sys.argv = ["celery", "-A", "config", *arguments[cut + 1 :]]
    main()


if __name__ == "__main__":
    begin(sys.argv[1:])
