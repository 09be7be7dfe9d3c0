"""The words of the demo: who the two clients are and what they write."""

from typing import Any

SIGN_INS = [
    ("marketer of Heron Books", "marketer", "heron-writes-letters"),
    ("administrator of both clients", "administrator", "lighthouse-keeps-watch"),
    ("owner of the installation", "owner", "the-owner-sees-it-all"),
]

Story = dict[str, Any]
"""Details of one client or mailing of the demo."""

HERON: Story = {
    "client": {
        "name": "Heron Books",
        "slug": "heron",
        "domain": "heron.example.org",
        "postal_address": "Heron Books, 12 Mill Lane, Bath BA1 5LT, United Kingdom",
        "privacy_url": "https://heron.example.org/privacy",
        "time_zone": "Europe/London",
        "attribute_names": ["city"],
    },
    "lists": [
        {
            "name": "New books",
            "slug": "new-books",
            "purpose": "once a week, the books we are glad arrived",
        },
        {
            "name": "Evenings",
            "slug": "evenings",
            "purpose": "readings and evenings in the shop, twice a month",
        },
        {
            "name": "News of the house",
            "slug": "house",
            "purpose": "opening hours and what changes at Heron Books, a few times a year",
        },
    ],
    "sender": {
        "name": "The shop",
        "from_name": "Heron Books",
        "from_address": "post@heron.example.org",
        "reply_to": "hello@heron.example.org",
    },
    "service": {
        "name": "Reading account",
        "description": "the account with which people order and keep their reading list",
    },
}

LIGHTHOUSE: Story = {
    "client": {
        "name": "Lighthouse Seminars",
        "slug": "lighthouse",
        "domain": "lighthouse.example.org",
        "postal_address": "Lighthouse Seminars, Havenstraat 3, 2312 Leiden, Netherlands",
        "privacy_url": "https://lighthouse.example.org/privacy",
        "time_zone": "Europe/Amsterdam",
        "attribute_names": ["city"],
    },
    "lists": [
        {
            "name": "Seminar dates",
            "slug": "dates",
            "purpose": "new dates as soon as they are set, once a month",
        },
        {
            "name": "The lamp",
            "slug": "lamp",
            "purpose": "one longer read on learning, every second Sunday",
        },
    ],
    "sender": {
        "name": "Office",
        "from_name": "Lighthouse Seminars",
        "from_address": "office@lighthouse.example.org",
    },
    "service": {
        "name": "Autumn seminar",
        "description": "the seminar people booked a place in",
    },
}

SENT: Story = {
    "subject": "Five books for long evenings",
    "preheader": "A river, a border, a kitchen, and two mysteries",
    "body": """\
Hello {{ registrant.name | default: "reader" }},

the shelf by the window is full again. Five we could not put down:

- [The Weir](https://heron.example.org/books/the-weir), a river and the two families on its banks
- [Salt Roads](https://heron.example.org/books/salt-roads), a border walked on foot
- [A Kitchen in Tartu](https://heron.example.org/books/kitchen), recipes and the century behind them
- [The Ninth Key](https://heron.example.org/books/ninth-key), a mystery without a detective
- [Low Water](https://heron.example.org/books/low-water), a mystery with far too many

[See all new books](https://heron.example.org/new)

Until Saturday,
the people of Heron Books
""",
}

DRAFT: Story = {
    "subject": "{{ registrant.name | default: 'Dear reader' }}, an evening with Maren Holt",
    "preheader": "Thursday at seven, with soup",
    "body": """\
# An evening with Maren Holt

Hello {{ registrant.name | default: "there" }},

on Thursday at seven Maren Holt reads from **Low Water** in the shop.
There will be soup, and there are forty chairs.

[Keep me a chair](https://heron.example.org/evenings/holt)

{% if registrant.city == "Bath" %}You live around the corner: the door is open from six.\
{% else %}Trains back run until half past ten: [timetable](https://heron.example.org/trains).\
{% endif %}

See you there,
the people of Heron Books
""",
}

NOTICE: Story = {
    "subject": "Your reading account moves to a new address on 1 December",
    "reason": "The sign-in address of the account changes; without this notice people could not"
    " reach what they ordered.",
    "body": """\
Hello {{ registrant.name | default: "reader" }},

from 1 December you sign in to your reading account at **https://account.heron.example.org**.
Your password and your reading list stay as they are. You need to do nothing.

Heron Books
""",
}

NAMES = (
    *("Ada", "Amira", "Anton", "Beatriz", "Ben", "Carla", "Cleo", "Dov", "Edith", "Emre"),
    *("Eve", "Farid", "Fay", "Greta", "Hana", "Igor", "Ines", "Jonas", "Kaia", "Leif"),
    *("Lena", "Maren", "Mila", "Nadia", "Nils", "Olga", "Otto", "Paula", "Rafael", "Rosa"),
    *("Samir", "Selma", "Tomas", "Uma", "Viktor", "Wanda", "Yusuf", "Zoe"),
)
