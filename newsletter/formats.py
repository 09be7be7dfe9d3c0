"""In which formats bodies and layouts are written; plain names, for those who know no database."""

from enum import StrEnum


class BodyFormat(StrEnum):
    """How the body of a mailing is written."""

    MARKDOWN = "markdown"
    HTML = "html"
    MJML = "mjml"


class LayoutFormat(StrEnum):
    """How a layout is written."""

    MJML = "mjml"
    HTML = "html"
