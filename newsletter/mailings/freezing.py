"""A mailing frozen when somebody sends or schedules it: what was checked is what is sent."""

from django.db.models import QuerySet

from newsletter import sandbox
from newsletter.content.compiling import CompiledMail
from newsletter.mailings.source import source_of
from newsletter.models import Mailing, Template


def mail_of(mailing: Mailing) -> CompiledMail:
    """Return the frozen mail, or that of a draft as it stands, saved or not.

    Raises SourceErrors where a draft is no mail yet.
    """
    if mailing.compiled is not None:
        return CompiledMail.load(mailing.compiled)
    return sandbox.compile_mail(source_of(mailing))


def freeze(mailing: Mailing) -> None:
    """Compile a mailing as it stands and keep that on it, to be checked and then to be stored.

    What is frozen already stays as it is. Raises SourceErrors where it is no mail yet.
    """
    if mailing.compiled is None:
        mailing.compiled = mail_of(mailing).dump()


def frozen_in(layout: Template) -> QuerySet[Mailing]:
    """Return what is frozen in a layout and has not begun to go, the next first."""
    waiting = (Mailing.State.SCHEDULED, Mailing.State.STAGING, Mailing.State.PAUSED)
    mailings = Mailing.objects.filter(template=layout, state__in=waiting, staged=None)
    frozen = mailings.exclude(frozen_at=None).defer("compiled", "body").select_related("client")
    return frozen.order_by("scheduled_at", "pk")
