"""What the timetable calls: five-line callers."""

from celery import shared_task

from redis_store import connection
from tracking import events


@shared_task(name="tracking.tasks.drain")
def drain() -> None:
    """Note the hits that are waiting in the stream."""
    if connection.first_in(0.4, "drain"):
        events.drain_for(4.0)
