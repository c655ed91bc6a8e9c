"""Writes what was read as files of slo/, and makes sure that they are taken."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from figwatch_agent.durations import Duration, format_duration
from figwatch_agent.files import slo_file
from figwatch_agent.files.diagnostics import Diagnostic, printable
from figwatch_agent.files.foreign.imported import ForeignSlo, Reading
from figwatch_agent.files.foreign.promql_text import decimal_text, percent_text, selector_text
from figwatch_agent.files.foreign.yaml_text import Number, yaml_text
from figwatch_agent.files.promises import Reader
from figwatch_agent.files.schema import read
from figwatch_agent.files.written import WrittenTier
from figwatch_agent.files.yaml import parse
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Availability, Events, Histogram, Latency, Promql, Sli, Uptime

MOST_DECIMALS = 12
"""Decimals of a percentage that our files take."""


class OurFile(NamedTuple):
    """A file to write: its name in slo/, its text, and the SLOs in it."""

    name: str
    text: str
    slos: tuple[ForeignSlo, ...]


def our_files(reading: Reading, migration: str) -> tuple[OurFile, ...]:
    """One file for each service; whatever they would be refused for is a problem of the reading."""
    files = tuple(_file(service, group, migration) for service, group in _groups(reading))
    for file in files:
        reading.diagnostics += _refusals(file)
    return files


def _groups(reading: Reading) -> Iterator[tuple[str, tuple[ForeignSlo, ...]]]:
    """SLOs by service; a service with several windows is several, as a file of ours has one."""
    services: dict[str, dict[Duration, list[ForeignSlo]]] = {}
    for slo in reading.slos:
        services.setdefault(slo.service, {}).setdefault(slo.window, []).append(slo)
    for service, windows in sorted(services.items()):
        for window, slos in sorted(windows.items()):
            name = service if len(windows) == 1 else f"{service}-{format_duration(window)}"
            if name != service:
                message = f"the service {service} has SLOs over different windows: those over"
                hint = "a file of slo/ has one window"
                reading.notice(
                    slos[0].document, slos[0].place, f"{message} {format_duration(window)} stand under {name}", hint
                )
            yield name, tuple(slos)


def _file(service: str, slos: tuple[ForeignSlo, ...], migration: str) -> OurFile:
    body = {
        "version": Number("1"),
        "migration": migration,
        "service": service,
        "window": format_duration(slos[0].window),
        "slos": [_slo(slo) for slo in slos],
    }
    sources = sorted({slo.document.path.replace("\\", "/").rsplit("/", 1)[-1] for slo in slos})
    comments = (
        f"Imported by figwatch from {printable(', '.join(sources))}.",
        "Taken for counts of the edge: write vantage: application where the services themselves count.",
    )
    return OurFile(f"{service}.yaml", yaml_text(body, comments), slos)


def _slo(slo: ForeignSlo) -> dict[str, Any]:
    body: dict[str, Any] = {"name": slo.name}
    if slo.description:
        body["description"] = slo.description
    body |= {"sli": _sli(slo.sli), "objective": percent_text(slo.objective) or str(float(slo.objective * 100))}
    if slo.tiers is not None:
        body |= {"tiers": [_tier(tier) for tier in slo.tiers], "early": False}
    return body


def _sli(sli: Sli) -> dict[str, Any]:
    if isinstance(sli, Promql):
        return {"promql": {"bad": sli.bad, "total": sli.total}}
    if isinstance(sli, Histogram):
        return {"histogram": _selectors(sli.selectors), "threshold": Number(decimal_text(sli.threshold) or "")}
    if isinstance(sli, Availability | Latency | Uptime):
        raise TypeError(f"no foreign file holds {type(sli).__name__}")
    return {"events": _events(sli)}


def _events(sli: Events) -> dict[str, Any]:
    part = {"good": _selectors(sli.good)} if sli.good else {"bad": _selectors(sli.bad)}
    return {**part, "total": _selectors(sli.total)}


def _selectors(selectors: Sequence[Selector]) -> str | list[str]:
    texts = [selector_text(one) for one in selectors]
    return texts[0] if len(texts) == 1 else texts


def _tier(tier: WrittenTier) -> dict[str, Any]:
    body: dict[str, Any] = {} if tier.name is None else {"name": tier.name}
    share = None if tier.share is None else percent_text(tier.share)
    if tier.factor is not None:
        body["factor"] = Number(decimal_text(tier.factor) or repr(float(tier.factor)))
    else:
        body["share"] = share or ""
    body |= {"long": format_duration(tier.long), "short": format_duration(tier.short), "severity": str(tier.severity)}
    return body | ({"allow_slow": True} if tier.allow_slow else {})


def _refusals(file: OurFile) -> Iterator[Diagnostic]:
    """What our own loader would refuse, told where it comes from."""
    document = parse(file.text.encode("utf-8"), file.name)
    found = [(path, one) for path, one in _told(document)]
    for index, one in found:
        slo = file.slos[min(index, len(file.slos) - 1)]
        yield slo.document.problem(slo.place, f"{slo.name} cannot be written as ours: {one.message}", one.hint)


def _told(document: Any) -> Iterator[tuple[int, Diagnostic]]:
    written, wrong = (None, []) if document.fatal else read(document, slo_file.FILE, {"folder": ""})
    reader = Reader(document, written, None) if written is not None else None
    if reader is not None:
        reader.service()
    starts = [spot.line for path, spot in document.values.items() if len(path) == 2 and path[0] == "slos"]
    for one in (*document.problems, *wrong, *(reader.problems if reader is not None else ())):
        yield max(0, sum(1 for line in starts if line <= one.line) - 1), one
