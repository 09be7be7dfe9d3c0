"""What was checked is what is sent: frozen when somebody sends or schedules, thawed when not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils.timezone import now

from newsletter.content.compiling import CompiledMail
from newsletter.content.errors import SourceErrors
from newsletter.delivery import staging
from newsletter.mailings import duplicating, freezing, lifecycle
from newsletter.mailings.lifecycle import NotPossible
from newsletter.models import Link, Mailing, Template
from newsletter.review import checks, previewing
from tests.cast import Cast

LAYOUT = (
    "<html><head><title>{{ subject }}</title></head><body><p>OLD {{ client.postal_address }}</p>"
    '{{ content }}<a href="{{ unsubscribe_url }}">Unsubscribe</a></body></html>'
)


def in_layout(cast: Cast, **changes: object) -> Mailing:
    """Return a campaign in a layout of its client's own."""
    layout = Template.objects.create(
        client=cast.client, name="Own", format=Template.Format.HTML, source=LAYOUT
    )
    return cast.campaign(template=layout, **changes)


def in_an_hour(campaign: Mailing) -> None:
    """Schedule a campaign."""
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)


def frozen(campaign: Mailing) -> CompiledMail:
    """Return what is frozen of a mailing, as the row has it."""
    row = Mailing.objects.get(pk=campaign.pk)
    assert row.compiled is not None
    return CompiledMail.load(row.compiled)


def edit_all(cast: Cast) -> None:
    """Edit whatever a mail is made of but its own words."""
    Template.objects.update(source=LAYOUT.replace("OLD", "NEW {{ 5 | divided_by: 0 }}"))
    type(cast.sender).objects.update(
        from_name="Somebody else", from_address="new@heron.example.org", reply_to="n@example.org"
    )
    type(cast.client).objects.update(
        name="Renamed", postal_address="Elsewhere 1", link_host="new.example.org", locale="de"
    )
    type(cast.mailing_list).objects.update(name="Other books")
    type(cast.service).objects.update(name="Other service")


@pytest.mark.parametrize("act", [in_an_hour, lambda it: lifecycle.send_now(mailing=it, staff=1)])
def test_what_is_edited_after_send_or_schedule_changes_nothing(
    cast: Cast, act: Callable[[Mailing], None]
) -> None:
    """Layout, sender, client and list; only the sender's server may change after."""
    campaign = in_layout(cast)
    act(campaign)
    before = frozen(campaign)
    edit_all(cast)
    Mailing.objects.filter(pk=campaign.pk).update(state="staging", started_at=now())
    assert staging.stage(campaign.pk) == 1
    assert frozen(campaign) == before
    assert "OLD" in before.html
    assert before.headers["from_address"] == "post@heron.example.org"


def test_a_notice_keeps_the_reason_it_was_checked_with(cast: Cast) -> None:
    """The line names service and client as they were."""
    notice = cast.notice()
    in_an_hour(notice)
    edit_all(cast)
    notice = type(notice).objects.get(pk=notice.pk)
    shown = previewing.preview(notice, cast.ada)
    assert "Heron Books" in shown.text
    assert "Renamed" not in shown.text
    assert checks.blocked(notice) == []


def test_checks_and_previews_show_what_is_frozen(cast: Cast) -> None:
    """A layout that breaks afterwards neither breaks them nor blocks the mailing."""
    campaign = in_layout(cast)
    in_an_hour(campaign)
    edit_all(cast)
    campaign = Mailing.objects.get(pk=campaign.pk)
    shown = previewing.preview(campaign, cast.ada)
    assert "OLD 12 Mill Lane, Bath" in shown.text
    assert b"From: Heron Books <post@heron.example.org>" in shown.raw
    assert checks.blocked(campaign) == []


def test_taking_the_schedule_back_thaws(cast: Cast) -> None:
    """The draft is made of what there is now, and frozen anew the next time."""
    campaign = in_layout(cast)
    in_an_hour(campaign)
    lifecycle.unschedule(mailing=campaign, staff=1)
    assert (campaign.compiled, campaign.frozen_at) == (None, None)
    Template.objects.update(source=LAYOUT.replace("OLD", "NEW"))
    campaign = Mailing.objects.get(pk=campaign.pk)
    in_an_hour(campaign)
    assert "NEW" in frozen(campaign).html
    assert not Link.objects.exists()


def test_what_came_due_while_the_system_was_down_goes_as_it_was_checked(cast: Cast) -> None:
    """Sent by hand or given another time: it stays as it was frozen, and since when."""
    campaign = in_layout(cast)
    in_an_hour(campaign)
    before, since = frozen(campaign), campaign.frozen_at
    edit_all(cast)
    with time_machine.travel(now() + timedelta(hours=3)):
        in_an_hour(campaign)
        assert (frozen(campaign), campaign.frozen_at) == (before, since)
    with time_machine.travel(now() + timedelta(hours=6)):
        lifecycle.send_now(mailing=campaign, staff=1)
        assert staging.stage(campaign.pk) == 1
    assert (frozen(campaign), campaign.frozen_at) == (before, since)


def test_pausing_before_it_is_staged_and_going_on_changes_nothing(cast: Cast) -> None:
    """Neither act freezes or thaws."""
    campaign = in_layout(cast)
    lifecycle.send_now(mailing=campaign, staff=1)
    before = frozen(campaign)
    lifecycle.pause(mailing=campaign, staff=1)
    edit_all(cast)
    lifecycle.resume(mailing=campaign, staff=1)
    staging.stage_due()
    assert frozen(campaign) == before


def test_a_copy_is_thawed(cast: Cast) -> None:
    """It is a draft of what was written, in the layout as that is now."""
    campaign = in_layout(cast)
    in_an_hour(campaign)
    copy = duplicating.duplicate(mailing=campaign, staff=1)
    assert (copy.state, copy.compiled, copy.frozen_at) == ("draft", None, None)


def test_what_an_older_version_scheduled_is_frozen_when_it_is_staged(cast: Cast) -> None:
    """Before this there was nothing on the row."""
    campaign = cast.campaign()
    Mailing.objects.filter(pk=campaign.pk).update(state="staging", started_at=now())
    assert staging.stage(campaign.pk) == 1
    campaign.refresh_from_db()
    assert campaign.frozen_at is not None
    assert Link.objects.count() == len(frozen(campaign).links) == 1


def test_what_is_no_mail_can_be_neither_sent_nor_scheduled(cast: Cast) -> None:
    """It stays a draft, with the faults at hand."""
    campaign = cast.campaign(body="{% if %}")
    for act in (in_an_hour, lambda it: lifecycle.send_now(mailing=it, staff=1)):
        with pytest.raises(SourceErrors):
            act(campaign)
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.DRAFT


def test_what_was_saved_between_the_check_and_the_act_does_not_go(cast: Cast) -> None:
    """The row must be the version that was frozen and checked."""
    campaign = cast.campaign()
    freezing.freeze(campaign)
    Mailing.objects.filter(pk=campaign.pk).update(version=1, body="Else")
    with pytest.raises(NotPossible, match="Somebody changed it"):
        lifecycle.send_now(mailing=campaign, staff=1)
    campaign.refresh_from_db()
    assert campaign.state == Mailing.State.DRAFT


def test_the_database_holds_no_frozen_draft(cast: Cast) -> None:
    """Whoever writes the row."""
    campaign = cast.campaign()
    with pytest.raises(IntegrityError), transaction.atomic():
        Mailing.objects.filter(pk=campaign.pk).update(frozen_at=now())
