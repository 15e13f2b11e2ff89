"""What a reader or a writer leaves out or changes, counted as it goes and said once at the end.

In: the kinds of things left out, one call each. Out: one sentence a kind, to whoever is to be told (a `Notify`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatewise.formats.source import Notify, Source, source_name


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts by kind; a kind reads on after a number: `answers that are not accept, left out`."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, what: str) -> None:
        """Count one of these."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def say(self, path: Source, notify: Notify) -> None:
        """One sentence for each kind, `path` in front: the file that was read, or the format that is written."""
        for what, count in self.counts.items():
            notify(f"{source_name(path)}: {count} {what}")
