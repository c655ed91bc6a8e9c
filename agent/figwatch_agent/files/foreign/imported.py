"""What was read from foreign files, before it is written as ours."""

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from figwatch_agent.durations import Duration, format_duration
from figwatch_agent.files.diagnostics import Diagnostic, quoted
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.promises import tier_of
from figwatch_agent.files.tiers import interval_flaw, tier_flaws
from figwatch_agent.files.written import WrittenTier
from figwatch_agent.model.names import Severity
from figwatch_agent.model.slo import Sli
from figwatch_agent.model.tier import EARLY

LONGEST_NAME: Final = 100


class Burn(NamedTuple):
    """An alert of another tool: it fires when both windows burn faster than the factor."""

    long: Duration
    short: Duration
    severity: Severity
    factor: Fraction | None = None
    share: Fraction | None = None  # of the period's budget, where the tool thinks in shares
    place: Path = ()

    def written(self) -> WrittenTier:
        """As a tier of ours."""
        return WrittenTier(
            long=self.long, short=self.short, severity=self.severity, factor=self.factor, share=self.share
        )


class ForeignSlo(NamedTuple):
    """An SLO of another tool that can be carried over."""

    document: Document
    place: Path
    name: str
    service: str
    window: Duration
    sli: Sli
    objective: Fraction
    tiers: tuple[WrittenTier, ...] | None  # None: the usual four
    description: str = ""


class Options(NamedTuple):
    """What the foreign files leave open."""

    window: Duration | None  # of SLOs that state none; None: as their tool has it, else 30 days
    interval: Duration  # between two looks of the source


class Reading:
    """Gathers what is read: SLOs, problems that refuse everything, and notices of what is not carried over."""

    def __init__(self, options: Options) -> None:
        """Nothing yet."""
        self.options = options
        self.slos: list[ForeignSlo] = []
        self.diagnostics: list[Diagnostic] = []
        self._told: set[str] = set()

    def problem(self, document: Document, place: Path, message: str, hint: str = "") -> None:
        """Something that refuses the file."""
        self.diagnostics.append(document.problem(place, message, hint))

    def notice(self, document: Document, place: Path, message: str, hint: str = "") -> None:
        """Something that was not carried over, or was carried over differently."""
        self.diagnostics.append(document.notice(place, message, hint))

    def dropped(self, document: Document, place: Path, given: Iterable[str], why: dict[str, str]) -> None:
        """A notice for each of the keys given here that ``why`` names, in the words of ``why``."""
        for key in given:
            if key in why:
                spot = document.key_spot((*place, key))
                self.diagnostics.append(document.at(spot, f"{key} is not carried over: {why[key]}", notice=True))

    def metadata(self, document: Document, used: Iterable[str] = ()) -> None:
        """Notices of metadata that has no place here; ``used`` are labels and annotations that have one."""
        given = document.root().get("metadata")
        metadata: dict[str, object] = given if isinstance(given, dict) else {}
        self.dropped(document, ("metadata",), metadata, _OF_METADATA)
        for kind, why in _LISTED.items():
            listed = metadata.get(kind)
            rest = [key for key in listed if key not in set(used)] if isinstance(listed, dict) else []
            if rest:
                message = f"{kind} ({', '.join(rest)}) are not carried over: {why}"
                self.diagnostics.append(document.at(document.key_spot(("metadata", kind)), message, notice=True))

    def once(self, document: Document, place: Path, message: str, hint: str = "") -> None:
        """A notice that is true of every SLO of a kind, told with the first of them."""
        if message not in self._told:
            self._told.add(message)
            self.notice(document, place, message, hint)

    def name(self, document: Document, place: Path, text: str, what: str) -> str:
        """A name that our files take; a notice where that is another one."""
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", text)
        name = name if name[:1].isalpha() and name[:1].isascii() else f"{what}-{name}"
        name = name[:LONGEST_NAME]
        if name != text:
            self.notice(document, place, f"{quoted(text)} is called {name} here: {_NAMES}")
        return name

    def tiers(
        self, document: Document, place: Path, burns: Sequence[Burn], window: Duration, objective: Fraction
    ) -> tuple[WrittenTier, ...]:
        """Those alerts that can do their work here; a notice for each of the others."""
        kept: list[WrittenTier] = []
        for burn in burns:
            tier = burn.written()
            meant = tier_of(tier, window)
            slow = meant.share > 0 and meant.factor(window) < 1
            flaws = [
                flaw.message for flaw in tier_flaws(tier_of(tier._replace(allow_slow=slow), window), window, objective)
            ]
            flaws += [] if flaws else _short(burn, self.options.interval)
            if flaws:
                said = f"the {burn.severity} alert on {_span(burn.long)} and {_span(burn.short)} is not carried over"
                self.notice(document, burn.place or place, f"{said}: {flaws[0]}")
                continue
            kept.append(tier._replace(allow_slow=slow, name=_free_name(tier, kept)))
        return tuple(kept)


_OF_METADATA: Final = {"namespace": "figwatch knows none", "displayName": "an SLO is shown by its name and description"}
_LISTED: Final = {
    "labels": "labels of objects and rules belong to the tool that writes them",
    "annotations": "links and texts come from figwatch itself",
}
_NAMES: Final = "a name has letters, digits, - _ and ., and begins with a letter"


def _short(burn: Burn, interval: Duration) -> list[str]:
    flaw = interval_flaw(burn.short, interval)
    return [] if flaw is None else [flaw]


def _span(length: Duration) -> str:
    return format_duration(length)


def _free_name(tier: WrittenTier, others: Sequence[WrittenTier]) -> str | None:
    """None where the long window alone tells the tier from the others."""
    taken = {other.name or format_duration(other.long) for other in others}
    length = format_duration(tier.long)
    if length not in taken:
        return None
    names = [f"{tier.severity}-{length}", *(f"{tier.severity}-{length}-{count}" for count in range(2, len(others) + 3))]
    return next(name for name in names if name not in taken and name != EARLY)
