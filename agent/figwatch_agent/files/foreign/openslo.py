"""OpenSLO (openslo/v1): objects that name each other, in any file that is given."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

from figwatch_agent.durations import DAY, Duration, format_duration
from figwatch_agent.files.diagnostics import did_you_mean, quoted
from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.foreign import openslo_grammar as grammar
from figwatch_agent.files.foreign.imported import ForeignSlo, Reading
from figwatch_agent.files.foreign.openslo_alerts import burns_of
from figwatch_agent.files.foreign.openslo_metric import sli_of_indicator
from figwatch_agent.files.foreign.pieces import Span
from figwatch_agent.files.foreign.ratio import Found
from figwatch_agent.files.schema import read

API: Final = "openslo/v1"
KINDS: Final = tuple(grammar.OBJECTS)
USUAL_WINDOW: Final[Duration] = 30 * DAY
NAME: Final = "figwatch-name"
"""Annotation that keeps a name which OpenSLO does not take."""


class Object(NamedTuple):
    """An object, and where it stands: a document of its own, or a place in another."""

    document: Document
    place: Path
    body: dict[str, Any]


class Library:
    """All objects of all files, by kind and name."""

    def __init__(self, reading: Reading) -> None:
        """Empty."""
        self._reading = reading
        self._objects: dict[tuple[str, str], Object] = {}
        self._broken: set[tuple[str, str]] = set()

    def add(self, document: Document) -> None:
        """Read a document and keep what it defines."""
        kind = document.root().get("kind")
        if document.root().get("apiVersion") != API:
            message = f"{document.root().get('apiVersion')} is not read: only {API}"
            self._reading.problem(document, ("apiVersion",), message, "convert it to openslo/v1 first")
            return
        if not isinstance(kind, str) or kind not in grammar.OBJECTS:
            hint = did_you_mean(str(kind), KINDS, "kinds")
            self._reading.problem(document, ("kind",), f"{quoted(str(kind))} is no kind of OpenSLO", hint)
            return
        body, wrong = read(document, grammar.OBJECTS[kind], {})
        self._reading.diagnostics += wrong
        if body is None:
            self._broken.add((kind, _name_of(document)))
            return
        key = (kind, body["metadata"]["name"])
        if key in self._objects:
            self._reading.problem(document, ("metadata", "name"), f"the {kind} {quoted(key[1])} is defined twice")
        self._objects[key] = Object(document, (), body)

    def find(self, kind: str, name: str, document: Document, place: Path) -> Object | None:
        """An object that another one names; a problem where there is none."""
        found = self._objects.get((kind, name))
        if found is None and (kind, name) not in self._broken:  # what is wrong with it was said there
            known = [other for known, other in self._objects if known == kind]
            hint = did_you_mean(name, known, f"objects of kind {kind}") or "give its file along with this one"
            self._reading.problem(document, place, f"there is no {kind} {quoted(name)}", hint)
        return found

    def source_type(self, name: str) -> str | None:
        """Type of a DataSource; None where it is not at hand."""
        found = self._objects.get(("DataSource", name))
        return None if found is None else str(found.body["spec"]["type"])

    def read_slos(self) -> None:
        """Carry over every SLO."""
        for (kind, _), one in self._objects.items():
            if kind == "SLO":
                _read_slo(one, self, self._reading)
            elif kind == "AlertNotificationTarget":
                message = "notification targets are not carried over: receivers in figwatch.yaml say who is told"
                self._reading.once(one.document, ("metadata", "name"), message)
            elif kind == "DataSource":
                message = "data sources are not carried over: source in figwatch.yaml says where counts come from"
                self._reading.once(one.document, ("metadata", "name"), message)


def _name_of(document: Document) -> str:
    metadata = document.root().get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def mine(root: Mapping[str, object]) -> bool:
    """Whether the document is meant as OpenSLO."""
    return str(root.get("apiVersion", "")).startswith("openslo/")


def _read_slo(one: Object, library: Library, reading: Reading) -> None:
    document, spec = one.document, one.body["spec"]
    reading.metadata(document, (NAME,))
    indicator = _indicator(one, library)
    if indicator is None:
        return
    kept = one.body["metadata"].get("annotations", {}).get(NAME)
    base = reading.name(document, ("metadata", "name"), kept or one.body["metadata"]["name"], "slo")
    sli = sli_of_indicator(indicator, library.source_type, reading)
    if sli is None:
        return
    why = _why_not(sli, spec)
    if why is not None:
        reading.notice(document, ("metadata", "name"), f"the SLO {base} is not carried over: {why}")
        return
    for said in sli.said:
        reading.notice(one.document, ("metadata", "name"), f"{base}: {said}")
    window = _window(one, reading)
    for index, objective in enumerate(spec["objectives"]):
        _read_objective(one, library, reading, sli, window, base, index, objective)


def _why_not(sli: Found, spec: dict[str, Any]) -> str | None:
    if sli.sli is None:
        return sli.said[0]
    if spec["budgetingMethod"] != "Occurrences":
        return f"{spec['budgetingMethod']} counts good slices of time, and an error budget here is a sum of events"
    return None


def _read_objective(
    one: Object,
    library: Library,
    reading: Reading,
    sli: Found,
    window: Duration,
    base: str,
    index: int,
    objective: dict[str, Any],
) -> None:
    document, spec = one.document, one.body["spec"]
    place: Path = ("spec", "objectives", index)
    name = base if len(spec["objectives"]) == 1 else f"{base}-{index + 1}"
    target: Fraction = objective["target"] if "target" in objective else objective["targetPercent"]
    if not 0 < target < 1 or sli.sli is None:
        why = "an objective of 0% promises nothing" if target <= 0 else "an objective of 100% leaves no error budget"
        reading.notice(document, place, f"the SLO {name} is not carried over: {why}")
        return
    service = reading.name(document, ("spec", "service"), spec["service"], "service")
    burns = burns_of(one, library, reading, window, first=index == 0)
    tiers = None if burns is None else reading.tiers(document, place, burns, window, target)
    reading.slos.append(
        ForeignSlo(
            document=document,
            place=("metadata", "name"),
            name=name,
            service=service,
            window=window,
            sli=sli.sli,
            objective=target,
            tiers=tiers,
            description=(spec.get("description") or objective.get("displayName") or "").strip(),
        )
    )


def _indicator(one: Object, library: Library) -> Object | None:
    spec = one.body["spec"]
    if "indicator" in spec:
        return Object(one.document, ("spec", "indicator"), spec["indicator"])
    return library.find("SLI", spec["indicatorRef"], one.document, ("spec", "indicatorRef"))


def _window(one: Object, reading: Reading) -> Duration:
    windows = one.body["spec"].get("timeWindow")
    if windows is None:
        usual = reading.options.window or USUAL_WINDOW
        message = f"no timeWindow is given: it is {format_duration(usual)}"
        reading.notice(one.document, ("metadata", "name"), message, "choose another with --window")
        return usual
    window: dict[str, Any] = windows[0]
    span: Span = window["duration"]
    if not window.get("isRolling", "calendar" not in window) or span.calendar:
        message = f"a window of the calendar is not carried over: it is the last {format_duration(span.length)} here"
        reading.notice(one.document, ("spec", "timeWindow", 0), message)
    return span.length
