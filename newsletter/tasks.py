"""What the timetable and the nudge call: five-line callers, ids only."""

from celery import shared_task

from newsletter import approving, condition, leasing, mx, recovering, sending, staging

SOON = {"expires": 2}


@shared_task(name="newsletter.tasks.send_letters")
def send_letters() -> None:
    """Send the letters and notices that are due, letters first."""
    condition.beat("letters")
    if sending.serve(lanes=("letters", "notices"), seconds=2.0):
        send_letters.apply_async(**SOON)


@shared_task(name="newsletter.tasks.send_campaigns")
def send_campaigns() -> None:
    """Stage what was started, then send what is due."""
    condition.beat("campaigns")
    staging.stage_due()
    if sending.serve(lanes=("campaigns",), seconds=4.0):
        send_campaigns.apply_async(**SOON)


@shared_task(name="newsletter.tasks.tend")
def tend() -> None:
    """Start what is scheduled, free what lost workers held, close what is cancelled or done."""
    condition.beat("timetable")
    approving.start_due()
    recovering.recover()
    leasing.close_cancelled()
    approving.finish_done()


@shared_task(name="newsletter.tasks.look_up_receivers")
def look_up_receivers() -> None:
    """Ask DNS whose mail servers the domains have that were met while sending."""
    mx.look_up_noted()
