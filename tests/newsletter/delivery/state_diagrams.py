"""The state diagrams of a delivery and of a mailing, drawn from the tables of their moves."""

from collections.abc import Iterable

from newsletter.delivery.transitions import DELIVERY_MOVES
from newsletter.mailings.lifecycle import MAILING_MOVES, Move


def drawn(moves: Iterable[Move]) -> str:
    """Return a state diagram and the same as a table, in Markdown."""
    acts: dict[tuple[str | None, str], list[str]] = {}
    for move in moves:
        acts.setdefault((move.old, move.new), []).append(move.act.rpartition(".")[2])
    arrows = [
        f"    {old or '[*]'} --> {new}: {', '.join(dict.fromkeys(by))}"
        for (old, new), by in acts.items()
    ]
    rows = [
        f"| {f'`{move.old}`' if move.old else '–'} | `{move.new}` | `{move.act}` | {move.why} |"
        for move in moves
    ]
    table = ["| from | to | by | why |", "| --- | --- | --- | --- |", *rows]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```", "", *table])


def with_diagrams(page: str) -> str:
    """Return docs/architecture.md with both diagrams made anew."""
    for name, moves in (("delivery", DELIVERY_MOVES), ("mailing", MAILING_MOVES)):
        begin, end = f"<!-- generated: {name} states -->", "<!-- /generated -->"
        before, _, rest = page.partition(begin)
        _, _, after = rest.partition(end)
        page = f"{before}{begin}\n{drawn(moves)}\n{end}{after}"
    return page
