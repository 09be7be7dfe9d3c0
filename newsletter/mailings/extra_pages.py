"""Where other packages show more about a mailing; they call this, it never calls them by name."""

from collections.abc import Callable

from newsletter.models import Mailing

_offered: dict[str, Callable[[Mailing], str]] = {}


def offer(label: str, address: Callable[[Mailing], str]) -> None:
    """Offer a page about a mailing, such as its report; an empty address leaves it out."""
    _offered[label] = address


def pages(mailing: Mailing) -> list[tuple[str, str]]:
    """Return label and address of every page offered about a mailing."""
    offered = [(label, address(mailing)) for label, address in _offered.items()]
    return [(label, address) for label, address in offered if address]
