"""MJML made into an HTML page."""

import re
from typing import Final
from xml.parsers import expat

import mrml

from newsletter.content.errors import SourceError, SourceErrors

_OPTIONS: Final = mrml.RenderOptions(fonts={}, social_icon_origin="")
_PLACE: Final = re.compile(r"position (\d+):")


def page(source: str, *, field: str, lines_before: int = 0) -> str:
    """Return the HTML page of MJML that loads nothing from third parties.

    Raises SourceErrors where it is not well-formed.
    """
    try:
        return str(mrml.to_html(source, render_options=_OPTIONS).content)
    except Exception as error:  # mrml names its errors only by their text
        raise SourceErrors([_fault(str(error), source, field, lines_before)]) from None


def _fault(message: str, source: str, field: str, lines_before: int) -> SourceError:
    """Return a fault where the XML breaks, or where mrml says it stopped."""
    line, column = _where(source)
    place = _PLACE.search(message)
    if line is None and place is not None:
        index = min(int(place[1]), len(source))
        line = source.count("\n", 0, index) + 1
        column = index - source.rfind("\n", 0, index)
    within = None if line is None else max(1, line - lines_before)
    return SourceError(field, f"MJML is not well-formed: {message}", within, column)


def _where(source: str) -> tuple[int | None, int | None]:
    parser = expat.ParserCreate()
    parser.UseForeignDTD(True)  # named entities such as &nbsp; are no fault
    try:
        parser.Parse(source, True)
    except expat.ExpatError as error:
        return error.lineno, error.offset + 1
    return None, None
