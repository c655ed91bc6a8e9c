"""Writes our files for Sloth: a spec for each service, and catalogues of windows where its own do not fit."""

from collections.abc import Sequence
from typing import Any, Final

from figwatch_agent.durations import Duration, format_duration
from figwatch_agent.files.foreign.exported import RANGE, Exported, Said, all_said, by_counts, counted, ranged
from figwatch_agent.files.foreign.promql_text import decimal_text, percent_text, selector_text
from figwatch_agent.files.foreign.sloth import VERSION
from figwatch_agent.files.foreign.sloth_windows import API, KIND, USUAL_PERIOD, usual
from figwatch_agent.files.foreign.yaml_text import Number, yaml_text
from figwatch_agent.model.names import Severity
from figwatch_agent.model.selector import Selector
from figwatch_agent.model.slo import Events, Histogram, Promql, ServiceSlos, Slo
from figwatch_agent.model.tier import Tier

HOLE: Final = "{{.window}}"
SPEEDS: Final = ("quick", "slow")

Pair = tuple[tuple[object, ...], ...]


def sloth_files(services: Sequence[ServiceSlos]) -> Exported:
    """Specs by name. Sloth has one catalogue of windows for each period, so one period's alerts must agree.

    No spec says how long its budget lasts, a catalogue does: without one it is the usual period. Several periods are
    written into a folder each, for a run of Sloth each.
    """
    said = list(all_said(services))
    catalogues = {
        window: _catalogue([service for service in services if service.window == window])
        for window in sorted({service.window for service in services if service.slos})
    }
    files: dict[str, str] = {}
    folders = {window: f"{format_duration(window)}/" if len(catalogues) > 1 else "" for window in catalogues}
    for window, pairs in catalogues.items():
        if pairs != _usual(window) or window != USUAL_PERIOD or folders[window]:
            files[f"{folders[window]}alert-windows-{format_duration(window)}.yaml"] = yaml_text(_windows(window, pairs))
    for service in services:
        slos = [_slo(service, slo, catalogues[service.window], said) for slo in service.slos]
        written = [slo for slo in slos if slo is not None]
        if written:
            body = {"version": VERSION, "service": service.service, "slos": written}
            comment = f"An error budget lasts {format_duration(service.window)}: --default-slo-period says so to Sloth."
            files[f"{folders[service.window]}{service.service}.yaml"] = yaml_text(body, (comment,))
    return Exported(files, tuple(said))


def _pair(tiers: Sequence[Tier], severity: Severity) -> Pair:
    found = sorted((tier for tier in tiers if tier.severity is severity), key=lambda tier: tier.long)
    return tuple((tier.share, tier.long, tier.short) for tier in found)


def _usual(window: Duration) -> dict[Severity, Pair]:
    burns = usual(window).burns
    return {
        severity: tuple((burn.share, burn.long, burn.short) for burn in burns if burn.severity is severity)
        for severity in Severity
    }


def _catalogue(services: Sequence[ServiceSlos]) -> dict[Severity, Pair]:
    """The first pair of alerts of each severity that can be written; Sloth's own where there is none."""
    found = _usual(services[0].window)
    for severity in Severity:
        pairs = [_pair(slo.tiers, severity) for service in services for slo in service.slos]
        fitting = [pair for pair in pairs if len(pair) == len(SPEEDS) and all(percent_text(one[0]) for one in pair)]  # type: ignore[arg-type]  # a share
        found[severity] = fitting[0] if fitting else found[severity]
    return found


def _windows(window: Duration, pairs: dict[Severity, Pair]) -> dict[str, Any]:
    spec: dict[str, Any] = {"sloPeriod": format_duration(window)}
    for severity in Severity:
        spec[str(severity)] = {
            speed: {
                "errorBudgetPercent": Number((percent_text(share) or "")[:-1]),  # type: ignore[arg-type]  # a share
                "shortWindow": format_duration(short),  # type: ignore[arg-type]  # a duration
                "longWindow": format_duration(long),  # type: ignore[arg-type]  # a duration
            }
            for speed, (share, long, short) in zip(SPEEDS, pairs[severity], strict=True)
        }
    return {"apiVersion": API, "kind": KIND, "spec": spec}


def _slo(service: ServiceSlos, slo: Slo, pairs: dict[Severity, Pair], said: list[Said]) -> dict[str, Any] | None:
    sli = counted(service, slo)
    events = None if sli is None else _events(sli)
    if events is None:
        if sli is not None:
            said.append(Said(service.path, slo.name, "it is not carried over: its PromQL counts several ranges"))
        return None
    body: dict[str, Any] = {"name": slo.name.removeprefix(f"{service.service}-") or slo.name}
    body["objective"] = Number(decimal_text(slo.objective * 100) or "")
    if slo.description:
        body["description"] = slo.description
    return body | {"sli": {"events": events}, "alerting": _alerting(service, slo, pairs, said)}


def _events(sli: Events | Histogram | Promql) -> dict[str, str] | None:
    if isinstance(sli, Promql):
        texts = [ranged(text).replace("$window", HOLE) for text in (sli.bad, sli.total)]
        if len({span for text in texts for span in RANGE.findall(text)}) > 1:
            return None
        error, total = (RANGE.sub(f"[{HOLE}", text) for text in texts)
        return {"error_query": error, "total_query": total} if all(HOLE in one for one in (error, total)) else None
    by = by_counts(sli)
    total = _sum(by.total)
    return {"error_query": f"{total} - {_sum(by.good, part=True)}" if by.good else _sum(by.bad), "total_query": total}


def _sum(selectors: Sequence[Selector], *, part: bool = False) -> str:
    """Series that do not exist yet count nothing: without the 0, a difference or sum with them would be nothing too."""
    texts = [f"sum(rate({selector_text(one)}[{HOLE}]))" for one in selectors]
    safe = [f"({text} or vector(0))" for text in texts]
    joined = " + ".join(safe) if part or len(texts) > 1 else texts[0]
    return f"({joined})" if part and len(texts) > 1 else joined


def _alerting(service: ServiceSlos, slo: Slo, pairs: dict[Severity, Pair], said: list[Said]) -> dict[str, Any]:
    name = "".join(part.capitalize() for part in slo.name.replace("_", "-").replace(".", "-").split("-"))
    body: dict[str, Any] = {"name": f"{name}Burn"}
    for severity in Severity:
        mine = _pair(slo.tiers, severity)
        if not mine:
            body[f"{severity}_alert"] = {"disable": True}
            continue
        body[f"{severity}_alert"] = {"labels": {"severity": str(severity)}}
        if mine != pairs[severity]:
            message = f"its {severity} tiers are not carried over: Sloth has one pair of them for a period"
            said.append(Said(service.path, slo.name, message))
    return body
