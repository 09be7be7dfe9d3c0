"""What is wrong with a mail, said so that its author can mend it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SourceError:
    """One thing to mend: in which field, in which words, and where (lines and columns from 1)."""

    field: str
    message: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        place = f" (line {self.line}, column {self.column})" if self.line else ""
        return f"{self.message}{place}"


class SourceErrors(ValueError):
    """A source that cannot become a mail, with everything found wrong with it."""

    def __init__(self, faults: list[SourceError]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault}" for fault in faults))
        self.faults = faults
