"""An explanation as text, for somebody who was just woken: the answer first, then what it rests on."""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from figwatch_agent.durations import Duration, format_seconds
from figwatch_agent.report.words import visible

Json = Mapping[str, Any]

WIDTH: Final = 112
_MARKS: Final = {"yes": "+", "no": "-", "unknown": "?"}


def lines(document: Json, *, everything: bool = False) -> Iterator[str]:
    """The document of ``/api/v1/explain``. Without ``everything`` what does not fire says the first reason alone."""
    yield f"{visible(document['subject'])} at {_clock(_asked(document))}"
    yield ""
    yield from _answer(document)
    for incident in document["incidents"]:
        yield from _incident(incident, document["past"])
    if document["past"] is not None:
        yield from _past(document["past"], document["exclusions"])
        return
    yield from _about(document)
    yield from _watches(document["watches"], everything)
    yield ""
    yield "+ holds   - does not   ? is not known, and never fires" + (
        "" if everything else "   --all shows every condition"
    )


def _asked(document: Json) -> str:
    past = document["past"]
    return str(document["at"] if past is None else past["at"])


def _answer(document: Json) -> Iterator[str]:
    past = document["past"]
    if past is not None:
        fired = [each["id"] for each in past["alerts"]]
        yield "Fired then:" if fired else "Nothing fired then, as far as is stored."
        yield from (f"  {visible(each)}" for each in fired)
        return
    firing = [each for each in document["watches"] if each["firing"]]
    if not firing:
        yield "Nothing fires."
    for severity, verb in (("page", "It pages"), ("ticket", "It opens a ticket")):
        mine = [each for each in firing if each["severity"] == severity]
        if mine:
            yield from _wrapped(f"{verb}: {', '.join(_name(each) for each in mine)}.", "")


def _incident(incident: Json, past: Json | None) -> Iterator[str]:
    yield ""
    state = "open" if incident["open"] else f"over since {_clock(incident['resolved_at'])}"
    yield f"INCIDENT {incident['id']} {visible(incident['route'])}, began {_clock(incident['impact_start'])}, {state}"
    decision = incident["decision"]
    if past is not None:
        said = next((each for each in past["decisions"] if each["incident"] == incident["id"]), None)
        decision = said if said is not None and said["at"] is not None else None
    if decision is None:
        yield "  No rollback was weighed."
        return
    words = decision.get("text") or f"{decision['outcome'].replace('_', ' ')}: {decision['reason']}"
    yield from _wrapped(f"Rollback: {visible(words)}, {_clock(decision['at'])}", "  ")
    yield from _conditions(decision["conditions"], "    ")


def _about(document: Json) -> Iterator[str]:
    told = [f"{each['route']} is latched: a person must re-arm it" for each in document["routes"] if each["latched"]]
    told += [
        f"silenced until {_clock(each['until'])} by {each['actor']}: {each['why']}" for each in document["silences"]
    ]
    told += [_excluded(each) for each in document["exclusions"] if each["state"] == "running"]
    if told:
        yield ""
    for each in told:
        yield from _wrapped(visible(each), "")


def _excluded(exclusion: Json) -> str:
    until = "left open" if exclusion["counted_to"] is None else f"to {_clock(exclusion['counted_to'])}"
    since = f"{exclusion['scope']} {exclusion['name']} is excluded from {_clock(exclusion['counted_from'])} {until}"
    return f"{since} by {exclusion['id']} ({exclusion['who']}: {exclusion['why']})"


def _watches(watches: Iterable[Json], everything: bool) -> Iterator[str]:
    heading = None
    for watch in watches:
        if (watch["slo"], watch["route"]) != heading:
            heading = watch["slo"], watch["route"]
            yield ""
            yield visible(f"{watch['slo']} {100 * watch['objective']:g} % on {watch['route'] or 'everything'}")
        yield from _watch(watch, everything)


def _watch(watch: Json, everything: bool) -> Iterator[str]:
    firing = watch["firing"]
    state = f"fires since {_clock(firing['fired_at'])}" if firing else "does not fire"
    sure = "" if firing is None or firing["certified"] else " (not certified)"
    yield f"  {_tier(watch):<16} {watch['severity']:<7} {state}{sure}"
    against = [each for each in watch["because"] if each["holds"] != "yes"]
    shown = watch["because"] if everything or firing else against[:1]
    yield from _conditions(shown, "    ", 12)
    if watch["recovery"]:
        yield from _wrapped(_ends(watch["recovery"]), "    ", " " * 19)
    if watch["ignored"] and (everything or firing):
        yield f"    {watch['ignored']:,} bad events before the last resolve cannot fire it"


def _ends(recovery: Json) -> str:
    """What an alert that fires still waits for."""
    since, held = recovery["since"], recovery["held"]
    hold = _length(recovery["hold_seconds"])
    waits = [] if held else [f"no bad tick for {hold}"]
    if not recovery["rejected"]:
        waits.append(f"good requests enough ({recovery['needed']:,} in a row would do)")
    counted = f"since the last bad tick {since['bad']} bad of {since['total']:,}"
    return f"= ends after   {' and '.join(waits)}; {counted}" if waits else f"= about to end; {counted}"


def _past(past: Json, exclusions: Iterable[Json]) -> Iterator[str]:
    for place, exclusion in enumerate(exclusions):
        if not place:
            yield ""
            yield "SET ASIDE"
        declared = f", declared {_clock(exclusion['declared_at'])}"
        yield from _wrapped(visible(_excluded(exclusion) + declared), "  ", "    ")
    if past["counted"]:
        yield ""
        yield "COUNTED THEN"
    for each in past["counted"]:
        between = f"{_clock(each['begins'])} to {_clock(each['ends'])}"
        said = "not measured" if each["total"] is None else f"{each['bad']} bad of {each['total']:,}"
        yield f"  {between}  {each['side']:<8} {said}  {visible(each['route'])}"
    for name, heading in (("before", "UNTIL THEN"), ("after", "AFTERWARDS")):
        if past[name]:
            yield ""
            yield heading
        for each in past[name]:
            yield from _wrapped(f"{_clock(each['at'])}  {visible(each['text'])}", "  ", " " * 24)
    yield ""
    yield "NOT KNOWN"
    for each in past["unknown"]:
        yield from _wrapped(each, "  ")


def _conditions(conditions: Iterable[Json], indent: str, width: int = 18) -> Iterator[str]:
    for each in conditions:
        head = f"{_MARKS[each['holds']]} {visible(each['name'].replace('_', ' ')):<{width}} "
        yield from _wrapped(head + visible(each["evidence"]), indent, indent + " " * len(head))


def _wrapped(text: str, indent: str, after: str | None = None) -> list[str]:
    following = indent if after is None else after
    return textwrap.wrap(
        text, WIDTH, initial_indent=indent, subsequent_indent=following, drop_whitespace=True, break_on_hyphens=False
    )


def _name(watch: Json) -> str:
    return visible(f"{watch['slo']} {_tier(watch)} on {watch['route'] or 'everything'}")


def _tier(watch: Json) -> str:
    return watch["tier"] if watch["lane"] == "all" else f"{watch['tier']} ({watch['lane']})"


def _length(seconds: float) -> str:
    lasts: Duration = round(seconds * 1000)
    return format_seconds(lasts)


def _clock(iso: str) -> str:
    """``2026-11-22 14:05:00 UTC``."""
    return f"{iso[:10]} {iso[11:19]} UTC"
