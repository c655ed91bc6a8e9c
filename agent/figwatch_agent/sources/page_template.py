"""A whole page with gaps where its values stand: the fastest way to read a page that has only new values."""

from itertools import compress

from figwatch_agent.sources.page_layout import Layout, Page


class PageTemplate:
    """The words of a page, cut at every space, with the last word of each sample line open.

    Nothing is lost by the cutting: line ends stay in the words, so two pages with the same words are the same page.
    """

    def __init__(self, page: bytes, layout: Layout, gaps: bytes, kept: bytes, dated: bytes) -> None:
        self._layout = layout
        self._fixed = bytes(1 - gap for gap in gaps)  # one byte a word, as the masks below
        self._kept = kept
        self._dated = dated
        self._words = list(compress(_words(page), self._fixed))

    @classmethod
    def of(cls, page: bytes, lines: list[bytes], values: list[bytes], layout: Layout) -> "PageTemplate | None":
        """The template of a page that was just read with this layout.

        None where the last word of a needed line is not its value, but a timestamp or part of an exemplar.
        """
        gaps, kept, dated = bytearray(), bytearray(), bytearray()
        for line, value, entry in zip(lines, values, layout.entries, strict=True):
            fixed = bytes(line.count(b" "))
            last = entry.sample is not None and line.endswith(b" " + value)
            if entry.series is not None and not last:
                return None
            gaps += fixed + (b"\x01" if last else b"\x00")
            kept += fixed + (b"\x01" if entry.kept else b"\x00")
            dated += fixed + (b"\x01" if entry.created else b"\x00")
        rest = bytes(page.endswith(b"\n"))
        return cls(page, layout, bytes(gaps) + rest, bytes(kept) + rest, bytes(dated) + rest)

    def read(self, page: bytes) -> Page | None:
        """The page, where it has the template's words; None where it must be read line by line."""
        words = _words(page)
        if len(words) != len(self._fixed) or list(compress(words, self._fixed)) != self._words:
            return None
        try:
            return self._layout.read(list(compress(words, self._kept)), list(compress(words, self._dated)))
        except ValueError:
            return None


def _words(page: bytes) -> list[bytes]:
    return page.replace(b"\n", b" \n").split(b" ")
