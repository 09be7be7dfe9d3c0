"""What the timetable, and the end of a worker process, call."""

from typing import cast

from celery.signals import worker_process_shutdown

from newsletter import tasks
from newsletter.senders import routing
from newsletter.transports import SmtpSettings, Transport


class Kept:
    """A transport somebody keeps open."""

    is_closed = False

    def close(self) -> None:
        """Be closed."""
        self.is_closed = True


def test_a_worker_process_that_ends_closes_what_it_kept_open() -> None:
    """QUIT is said to the servers, once (the transports' own tests see it on the wire)."""
    assert tasks.send_letters.name == "newsletter.tasks.send_letters"
    kept = Kept()
    routing._kept[1, None] = (SmtpSettings(host="127.0.0.1"), cast("Transport", kept))
    worker_process_shutdown.send(sender=None, pid=1, exitcode=0)
    assert kept.is_closed
    assert routing._kept == {}
