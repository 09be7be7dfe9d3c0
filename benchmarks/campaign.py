"""Who the benchmarks write to, and the campaign of 20,480 bytes they send."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from newsletter.models import Campaign

LINKS = 15
AIM = 20_480


def body(size: int) -> str:
    """Return a Markdown body with 15 links and about `size` characters of text."""
    sentence = "The heron stands in the shallow water and waits, as it has for years. "
    paragraph = sentence * max(1, size // LINKS // len(sentence))
    parts = ["Hello {{ registrant.name | default: 'there' }},"]
    for number in range(LINKS):
        parts.append(f"{paragraph} [Read more]({f'https://www.example.org/story/{number}'}).")
    return "\n\n".join(parts)


def populate(count: int) -> "Campaign":
    """Make `count` confirmed registrants who granted both kinds of tracking, and a campaign."""
    from django.db import connection
    from django.utils.timezone import now

    from newsletter.models import Campaign, Sender
    from registrants import domains
    from registrants.addresses import hashed
    from registrants.models import Client, MailingList

    client = Client.objects.create(
        name="Benchmark", slug="bench", domain="example.org", postal_address="1 Mill Lane"
    )
    domains.allow(client=client, names=["example.org"], staff=None)
    mailing_list = MailingList.objects.create(
        client=client, name="News", slug="news", purpose="Everything, all the time"
    )
    sender = Sender.objects.create(
        client=client,
        name="main",
        from_name="Bench",
        from_address="news@example.org",
        is_default=True,
    )
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY registrants_registrant (client_id, address, address_hash, name, attributes,"
            " opens, clicks, created_at) FROM STDIN"
        ) as copy:
            for number in range(count):
                address = f"reader{number}@example.net"
                row = (client.pk, address, hashed(address), f"Reader {number}", "{}")
                copy.write_row((*row, "granted", "granted", now()))
        cursor.execute(
            "INSERT INTO registrants_subscription (registrant_id, mailing_list_id, state,"
            " ended_reason, created_at, confirmed_at)"
            " SELECT id, %s, 'confirmed', '', now(), now() FROM registrants_registrant",
            [mailing_list.pk],
        )
        cursor.execute("ANALYZE")
    return fitted(
        Campaign(
            kind=Campaign.Kind.CAMPAIGN,  # it is compiled before it is saved
            client=client,
            mailing_list=mailing_list,
            sender=sender,
            subject="The news of the week",
        )
    )


def another(campaign: "Campaign") -> "Campaign":
    """Return a new campaign like one that was sent already, to the same people."""
    from newsletter.models import Campaign

    same = ("client", "mailing_list", "sender", "subject", "body")
    return Campaign.objects.create(**{name: getattr(campaign, name) for name in same})


def sample_bytes(campaign: "Campaign") -> int:
    """Return the size of one rendered message, as it goes on the wire."""
    from newsletter.content import compiling
    from newsletter.mailings.source import source_of
    from newsletter.rendering.renderer import Recipient, Renderer

    compiled = compiling.compile_mail(source_of(campaign))
    renderer = Renderer(compiled, mailing=1, link_ids=list(range(1, len(compiled.links) + 1)))
    person = Recipient(
        delivery=1,
        address="reader1@example.net",
        name="Reader 1",
        subscription=1,
        opens=True,
        clicks=True,
    )
    return len(renderer.render(person, date=b"Mon, 01 Jan 2026 00:00:00 GMT"))


def fitted(campaign: "Campaign") -> "Campaign":
    """Give the campaign a body that makes the message 20,480 bytes long, ± 5 %."""
    size = AIM // 3
    for _ in range(8):
        campaign.body = body(size)
        message_bytes = sample_bytes(campaign)
        if abs(message_bytes - AIM) < AIM * 0.04:
            break
        size += (AIM - message_bytes) // 3
    campaign.save()
    return campaign
