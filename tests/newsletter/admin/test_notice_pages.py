"""Service notices have pages and a right of their own.

Mirrors several: newsletter/admin/notice.py, newsletter/admin/mailing_page.py,
newsletter/admin/steps.py.
"""

import pytest
from django.test import Client as Browser
from django.urls import reverse

from newsletter.models import Delivery, Mailing, Notice
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def addresses(notice: Notice) -> list[str]:
    """Return every address of the notice page."""
    from django.contrib import admin

    extra = {"part": "html", "move": "cancel"}
    urls = []
    for pattern in admin.site._registry[Notice].get_urls():
        if pattern.name:
            given = {name: extra.get(name, notice.pk) for name in pattern.pattern.converters}
            urls.append(reverse(f"admin:{pattern.name}", kwargs=given))
    return urls


def test_a_marketer_reaches_no_page_of_notices(cast: Cast, browser: Browser) -> None:
    """Shown by 9: whatever is asked, posted or read."""
    notice = cast.notice(subject="Sapphire")
    urls = addresses(notice)
    assert len(urls) > 12
    for address in urls:
        for answer in (browser.get(address, follow=True), browser.post(address, follow=True)):
            assert "Sapphire" not in answer.content.decode(), address
            assert answer.status_code in (200, 403, 404, 405), address
            if answer.status_code == 200:
                assert answer.redirect_chain[-1][0] == "/admin/", address
    notice.refresh_from_db()
    assert notice.state == Mailing.State.DRAFT


def test_a_marketer_reaches_no_notice_through_the_campaigns_pages(
    cast: Cast, browser: Browser, administrator: Browser
) -> None:
    """Neither kind answers under the other's addresses, for anybody."""
    notice, campaign = cast.notice(subject="Sapphire"), cast.campaign(subject="Sapphire")
    for someone in (browser, administrator):
        for kind, other in (("campaign", notice), ("notice", campaign)):
            for step in ("send", "progress", "duplicate", "test"):
                address = reverse(f"admin:newsletter_{kind}_{step}", args=[other.pk])
                assert someone.post(address).status_code in (404, 405), address
            change = reverse(f"admin:newsletter_{kind}_change", args=[other.pk])
            assert b"Sapphire" not in someone.get(change).content


def test_a_marketer_sees_no_delivery_of_a_notice(
    cast: Cast, browser: Browser, administrator: Browser
) -> None:
    """The list of deliveries keeps to what each may send."""
    notice = cast.notice(subject="Sapphire")
    delivery = Delivery.objects.create(mailing=notice, registrant=cast.ada)
    listed = reverse("admin:newsletter_delivery_changelist")
    one = reverse("admin:newsletter_delivery_change", args=[delivery.pk])
    assert b"Sapphire" not in browser.get(listed).content
    assert browser.get(one).status_code in (302, 403)
    assert b"Sapphire" in administrator.get(listed).content
    assert administrator.get(one).status_code == 200


def test_an_administrator_writes_checks_and_sends_a_notice(
    cast: Cast, administrator: Browser
) -> None:
    """With its reason, its audience with overridden opt-outs, and no unsubscribe link."""
    form_data = {"client": cast.client.pk, "service": cast.service.pk, "sender": cast.sender.pk,
            "subject": "Your account moves", "reason": "The address changes."}  # fmt: skip
    administrator.post(reverse("admin:newsletter_notice_add"), form_data, follow=True)
    notice = Notice.objects.get()
    audience = reverse("admin:newsletter_notice_audience", args=[notice.pk])
    assert "of them opted out of other mail" in administrator.get(audience).content.decode()
    preview = administrator.get(
        reverse("admin:newsletter_notice_preview", args=[notice.pk, "html"])
    )
    assert "It reaches you even if you unsubscribed: The address changes." in (
        preview.content.decode()
    )
    change = reverse("admin:newsletter_notice_change", args=[notice.pk])
    written = form_data | {"body": "From Monday on.", "body_format": "markdown", "seen_version": 0}
    assert administrator.post(change, written).status_code == 302
    send = reverse("admin:newsletter_notice_send", args=[notice.pk])
    assert "Send to 4 people now" in administrator.get(send).content.decode()
    administrator.post(send, {"seen_version": 1})
    notice.refresh_from_db()
    assert notice.state == Mailing.State.STAGING


def test_a_notice_without_a_reason_is_refused(cast: Cast, administrator: Browser) -> None:
    """The reason is required, in the form and in the database."""
    form_data = {"client": cast.client.pk, "service": cast.service.pk, "sender": cast.sender.pk,
            "subject": "Your account moves", "reason": "  "}  # fmt: skip
    answer = administrator.post(reverse("admin:newsletter_notice_add"), form_data)
    assert "reason" in answer.context["adminform"].form.errors
