"""Where something stands in a source as its author wrote it: line and column."""

from bisect import bisect_left, bisect_right

from newsletter.content.liquid_tags import Tags


class Places:
    """Lines and columns of one source whose Liquid tags are swapped for words."""

    def __init__(self, source: str, tags: Tags, *, field: str) -> None:
        self._breaks = [index for index, sign in enumerate(source) if sign == "\n"]
        self._anchors = [
            (word.end(), tag.line + tag.text.count("\n"))
            for word in tags.word.finditer(source)
            if (tag := tags.of(word)).line is not None and tag.field == field
        ]
        self._ends = [end for end, _ in self._anchors]

    def of(self, index: int) -> tuple[int, int]:
        """Return line and column, from 1; tags of several lines count as they were written."""
        before = bisect_right(self._ends, index) - 1
        start, line = self._anchors[before] if before >= 0 else (0, 1)
        breaks = bisect_left(self._breaks, index)
        begins = self._breaks[breaks - 1] if breaks else -1
        return line + breaks - bisect_left(self._breaks, start), index - begins
