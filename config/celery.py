"""The Celery app and the whole timetable."""

import os
from contextlib import suppress

import redis
from celery import Celery
from celery.signals import after_task_publish, beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from redis_store.connection import server

QUEUE_LONGEST = 1000
"""Wake-ups kept in one queue of Redis, an hour without a worker for the slowest of them."""

app = Celery("heed")
app.set_default()  # web processes answer from many threads; each must find this app
app.conf.update(
    broker_url=settings.REDIS_URL,
    broker_use_ssl=dict(settings.REDIS_TLS) or None,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": 600,
        "socket_timeout": 5,
        "socket_connect_timeout": 1,
        "health_check_interval": 30,
    },
    task_ignore_result=True,
    task_store_errors_even_if_ignored=False,
    task_serializer="json",
    accept_content=["json"],
    result_accept_content=["json"],
    event_serializer="json",
    task_default_queue="bulk",
    task_routes={
        "accountability.tasks.mail_password_links": {"queue": "letters"},
        "newsletter.tasks.send_letters": {"queue": "letters"},
        "newsletter.tasks.tend": {"queue": "letters"},
        "newsletter.tasks.stage": {"queue": "staging"},
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=270,  # below the time a lease is held (newsletter.delivery.leasing.HOLDS)
    task_publish_retry=False,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    timezone="UTC",
)


@celeryd_init.connect
@beat_init.connect
def _make_sure(**_: object) -> None:
    """Let neither a worker nor the timetable begin with other keys than the database's."""
    from config import starting

    starting.make_sure()


@after_task_publish.connect
def _bound_the_queue(routing_key: str, **_: object) -> None:
    """Let no queue grow while nobody takes from it: all are wake-ups, and the newest do."""
    with suppress(redis.RedisError):
        server().ltrim(routing_key, 0, QUEUE_LONGEST - 1)


app.autodiscover_tasks(["accountability", "newsletter", "tracking", "registrants"])

EACH_SECOND = {"schedule": 1.0}
app.conf.beat_schedule = {
    "letters and notices that are due": {"task": "newsletter.tasks.send_letters", **EACH_SECOND},
    "campaigns that are due": {"task": "newsletter.tasks.send_campaigns", **EACH_SECOND},
    "campaigns and notices that were started": {"task": "newsletter.tasks.stage", **EACH_SECOND},
    "what comes due, ran out or is done": {"task": "newsletter.tasks.tend", **EACH_SECOND},
    "whose mail servers new domains have": {
        "task": "newsletter.tasks.look_up_receivers",
        "schedule": 10.0,
    },
    "what readers did": {"task": "tracking.tasks.drain", **EACH_SECOND},
}
