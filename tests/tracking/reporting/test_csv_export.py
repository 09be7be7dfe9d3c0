"""The file of a mailing: complete, quoted, and with nothing in it that a spreadsheet runs."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accountability.models import AuditEntry
from newsletter.models import Campaign, Delivery
from registrants.models import Registrant
from tests.cast import Cast
from tests.tracking.reporting.test_totals import delivery, happened, send
from tracking.reporting import csv_export

ACTING = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")


@pytest.fixture
def sent(cast: Cast) -> Campaign:
    return send(cast)


def read(campaign: Campaign) -> list[dict[str, str]]:
    text = "".join(csv_export.lines(campaign)).removeprefix("\ufeff")
    return list(csv.DictReader(io.StringIO(text)))


def test_every_delivery_is_one_row_with_what_came_back(sent: Campaign) -> None:
    happened(sent, "ada", "opened")
    happened(sent, "ada", "opened", 1)
    happened(sent, "ada", "clicked", 1, link=0)
    rows = read(sent)
    assert [row["state"] for row in rows] == ["sent"] * 3 + ["refused", "failed", "unknown"]
    assert rows[0]["address"] == "ada@example.net"
    assert (rows[0]["times opened"], rows[0]["times clicked"]) == ("2", "1")
    assert rows[1]["times opened"] == "0"
    assert (rows[0]["tracked opens"], rows[2]["tracked opens"]) == ("yes", "no")
    assert rows[3]["refusal"] == "ended"
    assert rows[4]["answer"] == "550 no such mailbox"


def test_blocks_join_without_a_row_lost_or_twice(
    sent: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_export, "ROWS_AT_ONCE", 2)
    exported = [int(row["delivery"]) for row in read(sent)]
    assert exported == list(
        Delivery.objects.filter(mailing=sent).order_by("pk").values_list("pk", flat=True)
    )


def test_every_cell_is_quoted(sent: Campaign) -> None:
    """S-8."""
    for line in "".join(csv_export.lines(sent)).removeprefix("\ufeff").splitlines():
        assert line.startswith('"')
        assert line.endswith('"')
        assert line.count('","') == len(csv_export.HEADER) - 1


def test_a_name_that_is_a_formula_is_only_text(sent: Campaign) -> None:
    """S-8: phpList CVE-2021-3188."""
    formula = '=HYPERLINK("http://evil.example","x")'
    Registrant.objects.filter(address="ada@example.net").update(name=formula)
    to_ada = delivery(sent, "ada")
    Delivery.objects.filter(pk=to_ada.pk).update(answer="@SUM(1+1)*cmd|' /C calc'!A0")
    row = read(sent)[0]
    assert row["name"] == "'" + formula
    assert row["answer"].startswith("'@SUM")


@pytest.mark.parametrize(
    "text",
    [
        "=1",
        "+1",
        "-1",
        "@a",
        "\t=1",
        "\r=1",
        " =1",
        '";=1',
        "',=1",
        "\uff1d1",
        "a,=1",
        'a"=1',
        "x;@y",
    ],
)
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    """S-8: also after separator and quote tricks."""
    assert csv_export.harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Ada", "ada@example.net", "a=b", "O'Neill", "250 2.0.0 Ok"])
def test_plain_words_stay_as_they_are(text: str) -> None:
    assert csv_export.harmless(text) == text


@given(st.text())
def test_no_cell_ever_begins_like_a_formula(text: str) -> None:
    assert not csv_export.harmless(text).startswith(ACTING)


def test_taking_a_file_out_is_in_the_trail(sent: Campaign) -> None:
    csv_export.export(mailing=sent, staff=7)
    entry = AuditEntry.objects.get(act="export")
    assert (entry.staff, entry.client, entry.subject) == (7, sent.client_id, sent.pk)
