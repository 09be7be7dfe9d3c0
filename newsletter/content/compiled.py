"""What compiling gives: one mail for all its readers, and what was taken out on the way."""

import json
from dataclasses import asdict, dataclass, field
from typing import Final, Self

from newsletter.content.errors import SourceError

VERSION: Final = 1


@dataclass(frozen=True)
class CompiledMail:
    """One mail frozen for all its readers: Liquid sources and what never changes, no code."""

    kind: str
    subject: str
    html: str
    text: str
    links: list[str]
    personal_links: list[str]
    constants: dict[str, object]
    headers: dict[str, str]
    message_id_domain: str
    bounce_domain: str
    link_base: str
    version: int = field(default=VERSION)

    def dump(self) -> bytes:
        """Return the mail as JSON, to be stored on the mailing when it starts."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def load(cls, data: bytes | memoryview | str) -> Self:
        """Return the mail dump wrote; raises ValueError for any other version."""
        fields = json.loads(data if isinstance(data, str) else bytes(data))
        if fields.get("version") != VERSION:
            raise ValueError(
                f"this mail was compiled by version {fields.get('version')} of the format"
            )
        return cls(**fields)


@dataclass(frozen=True)
class Compilation:
    """A compiled mail, and what cleaning took out of its source, each with its line and why."""

    mail: CompiledMail
    taken_out: list[SourceError] = field(default_factory=list)
