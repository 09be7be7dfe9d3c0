"""What a page hands to a worker: five-line callers, ids only."""

from smtplib import SMTPException

from celery import shared_task

from accountability.signing_in import views


@shared_task(
    name="accountability.tasks.mail_password_links",
    autoretry_for=(OSError, SMTPException),
    max_retries=4,
    default_retry_delay=30,
)
def mail_password_links(staff: list[int]) -> None:
    """Send links for a forgotten password, nobody's too."""
    views.mail_links(staff)
