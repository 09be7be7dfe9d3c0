"""What the timetable and the nudge call: five-line callers, ids only."""

from datetime import timedelta

from celery import shared_task
from celery.signals import worker_process_shutdown

from newsletter.delivery import beside, leasing, recovering, staging, worker
from newsletter.fence import Fence, Step, Subject
from newsletter.mailings import lifecycle
from newsletter.monitoring import health
from newsletter.receivers import mx
from newsletter.senders import routing
from redis_store import connection

# Wake-ups do not expire by a clock: two machines may differ by minutes, and one ahead would
# throw every wake-up away (AT-C8). What piled up while no worker ran is thrown away by counting.
CROWD = 6
"""Wake-ups waiting in a queue that make one more superfluous."""


def _is_superfluous(queue: str) -> bool:
    """Tell whether enough wake-ups wait behind this one to do what it would do."""
    return int(connection.server().llen(queue)) > CROWD


@shared_task(name="newsletter.tasks.send_letters")
def send_letters() -> None:
    """Send the letters and notices that are due, letters first."""
    health.beat("letters")
    if _is_superfluous("letters"):
        return
    if worker.serve(lanes=("letters", "notices"), seconds=2.0):
        send_letters.apply_async()


@shared_task(name="newsletter.tasks.send_campaigns")
def send_campaigns() -> None:
    """Send the campaigns that are due."""
    health.beat("campaigns")
    if _is_superfluous("bulk"):
        return
    if worker.serve(lanes=("campaigns",), seconds=4.0):
        send_campaigns.apply_async()


@shared_task(name="newsletter.tasks.stage", soft_time_limit=240)
def stage() -> None:
    """Stage what was started, and have it sent at once; one worker at a time does it."""
    health.beat("staging")
    if not _is_superfluous("staging") and staging.stage_due():
        send_campaigns.apply_async()
        send_letters.apply_async()


@shared_task(name="newsletter.tasks.tend")
def tend() -> None:
    """Start what is scheduled, free what lost workers held, close what is cancelled or done."""
    health.beat("timetable")
    if not connection.first_in(0.4, "tend"):
        return
    steps = {
        Step.START: lambda: lifecycle.start_due(moment=leasing.moment()),
        Step.RECOVER: recovering.recover,
        Step.CLOSE: leasing.close_cancelled,
        Step.FINISH: lifecycle.finish_done,
    }
    fence = Fence(*steps)
    for step, act in steps.items():
        whole = Subject(step)
        if not fence.is_held(whole):
            with fence.around(whole, longest=timedelta(minutes=1)):
                act()


@shared_task(name="newsletter.tasks.look_up_receivers")
def look_up_receivers() -> None:
    """Ask DNS whose mail servers the domains have that were met while sending."""
    if connection.first_in(4.0, "look up receivers"):
        with Fence(Step.RECEIVERS).around(Subject(Step.RECEIVERS)):
            mx.look_up_noted()


@worker_process_shutdown.connect
def _leave_the_servers(**_: object) -> None:
    """Say QUIT to the mail servers this worker kept connections to."""
    beside.wait_for_all(seconds=5)
    routing.close_all()
