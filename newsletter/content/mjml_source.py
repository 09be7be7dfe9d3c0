"""MJML read into its elements, with every fault at its line; what HTML they hold stays as it is."""

import difflib
import re
from bisect import bisect_right
from html import escape
from typing import Final, NoReturn

from newsletter.content.errors import SourceError, SourceErrors
from newsletter.content.liquid_tags import Tags
from newsletter.content.mjml_elements import (
    ATTRIBUTES_OF,
    CHILDREN,
    COPIED,
    ENDING,
    EVERYWHERE,
    KNOWN,
    PLAIN_ENDING,
    Element,
)
from newsletter.content.mjml_tags import BrokenTagError, start_tag
from newsletter.content.source_places import Places

SLOT: Final = "#content"
LIQUID: Final = "#liquid"
COMMENT: Final = "#comment"
_END: Final = re.compile(r"</\s*([^\s>/]+)\s*>")
_IN_CONTENT: Final = re.compile(r"<!--|<!\[CDATA\[|<(/?)(mj-[a-z-]+|mjml)\b", re.IGNORECASE)
_UNSEEN: Final = "\ufeff\u200b\u200c\u200d"
_VOID: Final = frozenset({"br", "hr", "img", "input", "link", "meta", "area", "col", "wbr"})
_INDIVISIBLE: Final = frozenset({"mj-accordion-element", "mj-attributes", "mj-carousel"})
"""Where Liquid cannot decide about single elements."""
_SENTENCES: Final = {
    "mj-include": "loads another file, which a mail cannot do; write what it holds here",
    "mj-html-attributes": "is not known here; write the attributes on the elements themselves",
}


_OUTSIDE: Final = (
    "stands where MJML shows nothing; put it into <mj-text>, or <mj-raw> for HTML of your own"
)


def read(
    source: str,
    tags: Tags,
    *,
    within: str,
    name: str,
    doubts: list[SourceError] | None = None,
) -> Element:
    """Return what stands in a source, in an element named `within`; note what is only doubtful.

    `name` is the field it comes from. Raises SourceErrors with all that is wrong in it.
    """
    reader = _Reader(source, tags, within, name)
    root = reader.read()
    if reader.faults:
        raise SourceErrors(reader.faults)
    if doubts is not None:
        doubts += reader.doubts
    return root


class _Reader:
    def __init__(self, source: str, tags: Tags, within: str, name: str) -> None:
        self.source, self.tags, self.name = source, tags, name
        self.places = Places(source, tags, field=name)
        self.faults: list[SourceError] = []
        self.doubts: list[SourceError] = []
        self.root = Element(within)
        self.stack = [self.root]
        self._words = list(tags.word.finditer(source))
        self._starts = [word.start() for word in self._words]

    def read(self) -> Element:
        """Read to the end, or to a fault after which nothing can be told."""
        at = 0
        while at < len(self.source):
            start = self.source.find("<", at)
            end = len(self.source) if start < 0 else start
            self._text(at, end)
            if start < 0:
                break
            at = self._markup(start)
        for element in self.stack[1:]:
            if element.name in KNOWN:
                self._fault(element.index, f"<{element.name}> is never closed")
        return self.root

    def _markup(self, start: int) -> int:
        source = self.source
        if source.startswith("<!--", start):
            end = self._until("-->", start, 4, "a comment is never closed")
            if source.startswith("<!--[if", start):
                self._piece(COMMENT, start, source[start:end])
            return end
        if source.startswith("<![CDATA[", start):
            end = self._until("]]>", start, 9, "a CDATA section is never closed")
            self._text(start + 9, end - 3)
            return end
        if source.startswith(("<!", "<?"), start):
            if len(self.stack) > 1 or self.root.children:
                self._fault(start, "may stand at the beginning alone", what=source[start:][:20])
            return self._until(">", start, 2, "is never closed")
        if source.startswith("</", start):
            return self._close(start)
        return self._open(start)

    def _until(self, mark: str, start: int, past: int, message: str) -> int:
        end = self.source.find(mark, start + past)
        if end < 0:
            self._stop(start, message)
        return end + len(mark)

    def _open(self, start: int) -> int:
        try:
            tag = start_tag(self.source, start)
        except BrokenTagError as error:
            self._stop(error.index, str(error))
        name = tag.name.lower() if tag.name.lower().startswith("mj") else tag.name
        element, parent = self._element(name, start), self.stack[-1]
        for attribute in tag.attributes:
            self._attribute(element, *attribute)
        if self._may_stand(element, parent):
            parent.children.append(element)
            self._doubt_what_loads(element)
        if tag.is_closed or name.lower() in _VOID:
            return tag.end
        if name in ENDING and parent.name != "mj-attributes":
            return self._content(element, tag.end)
        self.stack.append(element)
        return tag.end

    def _attribute(self, element: Element, name: str, value: str, start: int) -> None:
        if self.tags.word.search(name):
            return  # told by compiling: a tag that would be lost
        name = name.lower()
        if name in element.attributes:
            self._fault(start, f"{name} stands twice in <{element.name}>")
            return
        element.attributes[name] = value
        known = ATTRIBUTES_OF.get(element.name)
        if self.stack[-1].name == "mj-attributes" or known is None:
            return
        if name not in known | EVERYWHERE:
            near = _nearest(name, known | EVERYWHERE)
            place = self.places.of(start)
            self.doubts.append(
                SourceError(self.name, f"<{element.name}> has no attribute {name}{near}", *place)
            )
        word = self.tags.word.search(value)
        if word and name not in COPIED and name != "css-class":
            fault = self.tags.of(word).fault(f"may not stand in {name}")
            self.faults.append(fault)

    def _doubt_what_loads(self, element: Element) -> None:
        """Say what loads from elsewhere because it was written, or does not because it was not."""
        values = element.attributes
        if element.name == "mj-font":
            message = f"the font loads from {values.get('href', '')[:80]} when the mail is opened"
        elif element.name == "mj-social-element" and not {"src", "mj-class"} & values.keys():
            message = (
                "<mj-social-element> has no src: its picture would load from the makers of MJML,"
                " so words stand in its place"
            )
        else:
            return
        self.doubts.append(SourceError(self.name, message, element.line, element.column))

    def _may_stand(self, element: Element, parent: Element) -> bool:
        """Say whether an element may stand there, and note it as a fault where it may not."""
        name = element.name
        if name in _SENTENCES:
            self._fault(element.index, _SENTENCES[name], what=f"<{name}>")
            return False
        allowed = CHILDREN.get(parent.name)
        is_head_of_fragment = name == "mj-head" and parent is self.root and bool(parent.name)
        if parent.name == "mj-attributes" or is_head_of_fragment:
            return True
        if allowed is None or name in allowed:
            if name in ("mj-body", "mjml") and any(name == one.name for one in parent.children):
                self._fault(element.index, f"a second <{name}>")
            return allowed is not None
        if name in KNOWN:
            parents = sorted(one for one, names in CHILDREN.items() if name in names and one)
            rather = f"; it belongs in {' or '.join(parents)}" if parents else ""
            where = "here" if parent is self.root else f"in <{parent.name}>"
            self._fault(element.index, f"<{name}> cannot stand {where}{rather}")
        elif name.startswith("mj"):
            self._fault(element.index, f"<{name}> is no element of MJML{_nearest(name, KNOWN)}")
        else:
            self._fault(element.index, f"<{name}> {_OUTSIDE}")
        return False

    def _close(self, start: int) -> int:
        match = _END.match(self.source, start)
        if match is None:
            self._stop(start, "an end tag is never closed with >")
        name = match[1].lower()
        depth = len(self.stack) - 1
        while depth > 0 and self.stack[depth].name.lower() != name:
            depth -= 1
        if depth == 0:
            if name in KNOWN or all(element.name in KNOWN for element in self.stack[1:]):
                self._fault(start, f"</{match[1]}> closes nothing")
            return match.end()
        for element in self.stack[depth + 1 :]:
            if element.name in KNOWN:
                self._fault(start, f"<{element.name}> is not closed before </{match[1]}>")
        del self.stack[depth:]
        return match.end()

    def _content(self, element: Element, start: int) -> int:
        """Take what an element holds up to its end tag, stepping over comments."""
        source, parts, at, kept = self.source, [], start, start
        while True:
            match = _IN_CONTENT.search(source, at)
            if match is None:
                self._stop(element.index, f"<{element.name}> is never closed")
            if match[0] == "<!--":
                at = self._until("-->", match.start(), 4, "a comment is never closed")
            elif match[0].upper() == "<![CDATA[":
                at = self._until("]]>", match.start(), 9, "a CDATA section is never closed")
                text = source[match.end() : at - 3]
                parts += [
                    source[kept : match.start()],
                    text if element.name == "mj-style" else escape(text, quote=False),
                ]
                kept = at
            elif match[1] and match[2].lower() == element.name:
                element.content = "".join([*parts, source[kept : match.start()]])
                if element.name not in PLAIN_ENDING:
                    element.content = self.tags.as_comments(element.content)
                return self._until(">", match.start(), 2, "an end tag is never closed with >")
            else:
                self._stop(
                    match.start(), f"<{element.name}> is not closed before {match[0].lower()}>"
                )

    def _text(self, start: int, end: int) -> None:
        """Take Liquid tags between elements; any other text there would vanish."""
        at = start
        for index in range(*(bisect_right(self._starts, edge - 1) for edge in (start, end))):
            word = self._words[index]
            self._loose(at, word.start())
            self._word(word)
            at = word.end()
        self._loose(at, end)

    def _word(self, word: re.Match[str]) -> None:
        tag, parent = self.tags.of(word), self.stack[-1]
        if tag.expression == "content" and self.name == "layout":
            self._piece(SLOT, word.start(), f"<!--{word[0]}-->")
        elif tag.is_output and CHILDREN.get(parent.name) is not None:
            self.faults.append(tag.fault(_OUTSIDE))
        elif parent.name in _INDIVISIBLE:
            self.faults.append(
                tag.fault(f"may not stand in {parent.name}; let it decide about the whole of it")
            )
        elif parent.name in ("mj-head", "mjml") and not tag.text.lstrip("{%- ").startswith(
            "assign"
        ):
            self.faults.append(tag.fault(f"may not decide about what stands in <{parent.name}>"))
        else:
            self._piece(LIQUID, word.start(), f"<!--{word[0]}-->")

    def _loose(self, start: int, end: int) -> None:
        text = self.source[start:end].strip().strip(_UNSEEN).strip()
        if text and (self.stack[-1].name in KNOWN or len(self.stack) == 1):
            start += self.source[start:end].find(text[0])
            self._fault(start, _OUTSIDE, what=f"“{' '.join(text.split())[:30]}”")

    def _piece(self, kind: str, index: int, content: str) -> None:
        element = self._element(kind, index)
        element.content = content
        self.stack[-1].children.append(element)

    def _element(self, name: str, index: int) -> Element:
        line, column = self.places.of(index)
        return Element(name, line=line, column=column, index=index)

    def _fault(self, index: int, message: str, *, what: str = "") -> None:
        text = f"{what} {message}" if what else message
        self.faults.append(SourceError(self.name, text, *self.places.of(index)))

    def _stop(self, index: int, message: str) -> NoReturn:
        self._fault(index, message)
        raise SourceErrors(self.faults)


def _nearest(name: str, names: frozenset[str]) -> str:
    near = difflib.get_close_matches(name, sorted(names), n=1, cutoff=0.6)
    return f"; is {near[0]} meant?" if near else ""
