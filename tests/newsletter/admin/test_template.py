"""The page of layouts: what is frozen in the older one is named."""

from datetime import timedelta

import pytest
from django.test import Client as Browser
from django.urls import reverse
from django.utils.timezone import now

from newsletter.mailings import lifecycle
from newsletter.models import Template
from tests.cast import Cast
from tests.newsletter.mailings.test_freezing import LAYOUT, in_layout

pytestmark = pytest.mark.django_db


def saved(browser: Browser, layout: Template, source: str) -> str:
    """Save a layout's source and return the page that follows."""
    form_data = {"name": layout.name, "format": layout.format, "source": source}
    address = reverse("admin:newsletter_template_change", args=[layout.pk])
    answer = browser.post(address, form_data | {"_continue": "1"}, follow=True)
    assert answer.redirect_chain, answer.context["adminform"].form.errors
    return str(answer.content.decode())


def test_changing_a_layout_names_what_is_frozen_in_the_older_one(
    cast: Cast, administrator: Browser
) -> None:
    """Whoever changes it learns that a schedule has to be taken back; a draft is not named."""
    campaign, draft = in_layout(cast, subject="Going soon"), cast.campaign(subject="Only a draft")
    layout = Template.objects.get()
    type(draft).objects.filter(pk=draft.pk).update(template=layout)
    assert "Frozen with" not in saved(administrator, layout, LAYOUT.replace("OLD", "MIDDLE"))
    lifecycle.schedule(mailing=campaign, at=now() + timedelta(hours=1), staff=1)
    page = saved(administrator, layout, LAYOUT.replace("OLD", "NEW"))
    assert "Frozen with the older layout, in which they will go: “Going soon”." in page
    assert "Only a draft" not in page
    lifecycle.unschedule(mailing=campaign, staff=1)
    assert "Frozen with" not in saved(administrator, layout, LAYOUT)
