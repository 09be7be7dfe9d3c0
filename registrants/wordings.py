"""The words in force for everything a person can be asked, stored as versions."""

from django.db import transaction
from django.utils.translation import gettext, gettext_noop

from registrants import languages
from registrants.models import Client, MailingList, Wording
from registrants.models.wording import Purpose


def list_words(mailing_list: MailingList) -> str:
    """Return the words a list is asked with."""
    shown = {"list": mailing_list.name, "purpose": mailing_list.purpose}
    return gettext("Yes, send me %(list)s: %(purpose)s") % shown


TRACKING_WORDS = {
    Purpose.OPENS: gettext_noop(
        "Yes, %(client)s may measure whether I open its mails. A small picture in each"
        " mail tells. Without a yes there is no such picture in my mails."
    ),
    Purpose.CLICKS: gettext_noop(
        "Yes, %(client)s may measure which links I follow. Links then lead through its"
        " server. Without a yes my links lead straight to where they point."
    ),
}


@transaction.atomic
def wording(
    *, client: Client, purpose: Purpose, mailing_list: MailingList | None = None
) -> Wording:
    """Return the wording in force, stored as a new version where the words have changed.

    It is in the language of the client's pages, so that the proof is what was read.
    """
    with languages.speaking(client.locale):
        if mailing_list is not None:
            text = list_words(mailing_list)
        else:
            text = gettext(TRACKING_WORDS[purpose]) % {"client": client.name}
    same = Wording.objects.filter(
        client=client, purpose=purpose, mailing_list=mailing_list, locale=client.locale
    )
    latest = same.order_by("-version").first()
    if latest is not None and latest.text == text:
        return latest
    Client.objects.select_for_update(no_key=True).get(pk=client.pk)
    latest = same.order_by("-version").first()
    if latest is not None and latest.text == text:
        return latest
    return Wording.objects.create(
        client=client,
        purpose=purpose,
        mailing_list=mailing_list,
        locale=client.locale,
        text=text,
        version=latest.version + 1 if latest else 1,
    )
