"""The parser of the Prometheus and OpenMetrics text formats, cached by the raw text of each series.

A page repeats itself: from one scrape to the next only the values move. So each line is cut at its last space, the part
before it is looked up in a dict, and a series is taken apart once in its life. Where a whole page repeats itself, even
the lines are not looked at one by one (see PageTemplate). prometheus_client takes every line apart every time.

Of lines that nobody wants only the metric's name is looked at.
"""

import re
from collections.abc import Callable
from itertools import compress
from typing import Final

from figwatch_agent.model.batch import Series
from figwatch_agent.sources.page_layout import Entry, Layout, Page
from figwatch_agent.sources.page_template import PageTemplate
from figwatch_agent.sources.sample_line import SAMPLE, metric_name, parse_series

__all__ = ["MAX_LINES", "MalformedPage", "Page", "PageParser"]

MAX_LINES: Final = 1_000_000
"""A page with more lines is refused: what is learned of a line is kept, about 300 bytes each."""

_METADATA = re.compile(
    rb"#[ \t]+(?P<kind>HELP|TYPE|UNIT)[ \t]+"
    rb'(?:(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*+)|"(?P<quoted>[^"\\]*+(?:\\.[^"\\]*+)*)")(?![^ \t])'
)
_NO_NAME = re.compile(rb"#[ \t]+(?:HELP|TYPE|UNIT)[ \t]+")
_CREATED = "_created"
_BORN = ("_total", "_count", "_sum", "_bucket")  # series that share the created-timestamp of their family
_NOTHING: Final = Entry()


class MalformedPage(ValueError):
    """A page breaks the format; nothing of it is used, because what else is wrong with it cannot be known."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line
        self.what = what


class PageParser:
    """Parses the pages of one scrape target, one after the other (not several at a time)."""

    def __init__(self, wanted: Callable[[str], bool] | frozenset[str]) -> None:
        """``wanted`` says of a sample name, ``_bucket`` and the like included, whether its series are kept."""
        self._wanted = wanted.__contains__ if isinstance(wanted, frozenset) else wanted
        self._known: dict[bytes, Entry] = {}  # raw text before the value -> what the line is
        self._entries: dict[
            Series | tuple[str, bool], Entry
        ] = {}  # one entry per series or family, so that `is` compares
        self._layout = Layout([])
        self._template: PageTemplate | None = None

    @property
    def known(self) -> int:
        """How many line beginnings are remembered."""
        return len(self._known)

    def parse(self, page: bytes, *, openmetrics: bool = False) -> Page:
        """The wanted series of a page. Raises MalformedPage.

        While the wanted series and the families stay what they are, the same SeriesTable object comes back.
        OpenMetrics pages must end with ``# EOF``; a page that does not was cut off.
        """
        if openmetrics and not page[-64:].rstrip().endswith(b"# EOF"):
            raise MalformedPage(page.count(b"\n") + 1, "the page ends without # EOF: a part of it is missing")
        if self._template is not None and (repeated := self._template.read(page)) is not None:
            return repeated
        lines = page.split(b"\n")
        if not lines[-1]:
            lines.pop()
        self._check(len(lines))
        parts = [line.rpartition(b" ") for line in lines]
        known = self._known.get
        entries = [known(part[0]) for part in parts]
        values = [part[2] for part in parts]
        if None in entries:
            self._learn_missing(lines, entries, values)
        same = self._arrange([entry for entry in entries if entry is not None])
        result = self._read(lines, values)
        self._template = PageTemplate.of(page, lines, values, self._layout) if same else None
        return result

    def _read(self, lines: list[bytes], values: list[bytes]) -> Page:
        kept, dated = self._layout.kept, self._layout.dated
        try:
            return self._layout.read(list(compress(values, kept)), list(compress(values, dated)))
        except ValueError:
            # Tabs instead of spaces put more than the value behind the last space.
            exact = _exact_values(lines, values, self._layout.entries)
        return self._layout.read(list(compress(exact, kept)), list(compress(exact, dated)))

    def _check(self, lines: int) -> None:
        if lines > MAX_LINES:
            raise MalformedPage(MAX_LINES, f"the page has {lines} lines, and no more than {MAX_LINES} are read")
        if len(self._known) > 2 * lines + 1_024:
            # Most of what is known has gone from the page; what has not is learned again.
            self._known.clear()
            self._entries.clear()

    def _arrange(self, entries: list[Entry]) -> bool:
        """Bring the layout up to date; whether it was."""
        if entries == self._layout.entries:
            return True
        layout = Layout(entries, self._layout)
        if layout.repeated is not None:
            line, series = layout.repeated
            raise MalformedPage(line, f"the series {series.name}{dict(series.labels)} stands on the page twice")
        self._layout = layout
        return False

    def _learn_missing(self, lines: list[bytes], entries: list[Entry | None], values: list[bytes]) -> None:
        for index, entry in enumerate(entries):
            if entry is None:
                try:
                    entries[index], values[index] = self._learn(lines[index])
                except ValueError as error:
                    raise MalformedPage(index + 1, str(error)) from None

    def _learn(self, line: bytes) -> tuple[Entry, bytes]:
        text = line.strip()
        if not text:
            return _NOTHING, b""
        if text.startswith(b"#"):
            return self._learn_comment(text), b""
        found = SAMPLE.fullmatch(text)
        if found is None:
            raise ValueError(f"{_shown(text)} is no sample: a name, labels in braces, and a value are")
        key = found["key"]
        entry = self._known.get(key)
        if entry is None:
            entry = self._known[key] = self._learn_series(key)
        return entry, found["value"]

    def _learn_comment(self, text: bytes) -> Entry:
        found = _METADATA.match(text)
        if found is None:
            if _NO_NAME.match(text):
                raise ValueError(f"{_shown(text)} names no metric")
            return _NOTHING
        if found["kind"] == b"TYPE" and not text[found.end() :].strip():
            raise ValueError(f"{_shown(text)} gives no type")
        family = _text(found["name"] or found["quoted"])
        entry = self._entry((family, True), lambda: Entry(declares=family))
        key = text.rpartition(b" ")[0]
        if len(key) >= found.end():  # the key alone tells the family, whatever word follows it
            self._known[key] = entry
        return entry

    def _learn_series(self, key: bytes) -> Entry:
        name = metric_name(key)
        if name is not None and not self._needed(name):
            return self._entry((name, False), lambda: Entry(sample=name))
        series = parse_series(key)
        if not self._needed(series.name):
            return self._entry((series.name, False), lambda: Entry(sample=series.name))
        kept, created = self._wanted(series.name), self._dates(series.name)
        return self._entry(series, lambda: Entry(sample=series.name, series=series, kept=kept, created=created))

    def _entry(self, key: Series | tuple[str, bool], make: Callable[[], Entry]) -> Entry:
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = make()
        return entry

    def _needed(self, name: str) -> bool:
        return self._wanted(name) or self._dates(name)

    def _dates(self, name: str) -> bool:
        """Whether this is the created-timestamp of a wanted series."""
        base = name.removesuffix(_CREATED)
        return base != name and any(self._wanted(base + suffix) for suffix in _BORN)


def _exact_values(lines: list[bytes], values: list[bytes], entries: list[Entry]) -> list[bytes]:
    """The value texts again, each cut out of its line with care. Raises MalformedPage where one is no number."""
    exact = list(values)
    for index, (line, entry) in enumerate(zip(lines, entries, strict=True)):
        if entry.series is not None:
            found = SAMPLE.fullmatch(line.strip())
            exact[index] = found["value"] if found else b""
            if not _is_number(exact[index]):
                raise MalformedPage(index + 1, f"{_shown(line)} has no number for a value")
    return exact


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return b"_" not in text  # Python would read 1_000 as a thousand; the format does not


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("a metric's name is not UTF-8") from None


def _shown(line: bytes) -> str:
    return repr(line[:80].decode("utf-8", "replace"))
