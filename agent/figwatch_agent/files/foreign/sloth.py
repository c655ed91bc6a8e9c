"""Sloth: ``version: prometheus/v1``, and the same as an object of Kubernetes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic_core.core_schema import CoreSchema

from figwatch_agent.files.document import Document, Path
from figwatch_agent.files.fields import FLAG, TEXT, WORDS, word
from figwatch_agent.files.foreign.imported import Burn, ForeignSlo, Reading
from figwatch_agent.files.foreign.pieces import ANYTHING, GO_DURATION, LABELS, METADATA, PERCENT, QUERY, Query, members
from figwatch_agent.files.foreign.ratio import Found, sli_of_counts, sli_of_ratio
from figwatch_agent.files.foreign.sloth_windows import Windows
from figwatch_agent.files.schema import exactly_one, items, may, need, read
from figwatch_agent.model.names import Severity

VERSION: Final = "prometheus/v1"
API: Final = "sloth.slok.dev/v1"
KIND: Final = "PrometheusServiceLevel"

LABELLED: Final = "labels of rules belong to the tool that writes them"
_OF_SPEC: Final = {
    "labels": LABELLED,
    "slo_plugins": "plugins are Sloth's own",
    "sloPlugins": "plugins are Sloth's own",
}
_OF_SLO: Final = {
    "labels": LABELLED,
    "infoLabels": LABELLED,
    "plugins": "plugins are Sloth's own",
    "interval": "figwatch.yaml says how often counts are read",
}
_OF_ALERTING: Final = {
    "name": "alerts here have names that their runbooks share",
    "labels": "receivers in figwatch.yaml say who is told",
    "annotations": "links and texts come from figwatch itself",
}
_OF_ALERT: Final = {key: _OF_ALERTING[key] for key in ("labels", "annotations")}


def _alert() -> CoreSchema:
    return members({"disable": may(FLAG, ""), "labels": may(LABELS, ""), "annotations": may(LABELS, "")})


def _one_sli(**given: Any) -> dict[str, Any]:
    exactly_one("an sli", given, "raw", "events", "plugin")
    return given


def _slo(*, error: str, total: str, ratio: str, page: str, ticket: str) -> CoreSchema:
    """Both forms differ in how keys are written."""
    from figwatch_agent.files.schema import record

    sli = record(
        _one_sli,
        {
            "raw": may(members({ratio: need(QUERY, "")}), ""),
            "events": may(members({error: need(QUERY, ""), total: need(QUERY, "")}), ""),
            "plugin": may(members({"id": need(WORDS, ""), "options": may(LABELS, "")}), ""),
        },
    )
    alerting = members(
        {
            "name": may(TEXT, ""),
            "labels": may(LABELS, ""),
            "annotations": may(LABELS, ""),
            page: may(_alert(), ""),
            ticket: may(_alert(), ""),
        }
    )
    interval = members({key: may(GO_DURATION, "") for key in ("all", "slierror", "metadata", "alert")})
    return members(
        {
            "name": need(WORDS, ""),
            "description": may(TEXT, ""),
            "objective": need(PERCENT, ""),
            "labels": may(LABELS, ""),
            "infoLabels": may(LABELS, ""),
            "plugins": may(ANYTHING, ""),
            "sli": need(sli, ""),
            "alerting": need(alerting, ""),
            "interval": may(interval, ""),
        }
    )


_PLAIN: Final = members(
    {
        "version": need(word(VERSION), ""),
        "service": need(WORDS, ""),
        "labels": may(LABELS, ""),
        "slo_plugins": may(ANYTHING, ""),
        "slos": need(
            items(
                _slo(
                    error="error_query",
                    total="total_query",
                    ratio="error_ratio_query",
                    page="page_alert",
                    ticket="ticket_alert",
                )
            ),
            "",
        ),
    }
)
_KUBERNETES: Final = members(
    {
        "apiVersion": need(word(API), ""),
        "kind": need(word(KIND), ""),
        "metadata": need(METADATA, ""),
        "spec": need(
            members(
                {
                    "service": need(WORDS, ""),
                    "labels": may(LABELS, ""),
                    "sloPlugins": may(ANYTHING, ""),
                    "slos": need(
                        items(
                            _slo(
                                error="errorQuery",
                                total="totalQuery",
                                ratio="errorRatioQuery",
                                page="pageAlert",
                                ticket="ticketAlert",
                            )
                        ),
                        "",
                    ),
                }
            ),
            "",
        ),
        "status": may(ANYTHING, ""),
    }
)


def mine(root: Mapping[str, object]) -> bool:
    """Whether the document is meant for Sloth."""
    return str(root.get("version", "")).startswith("prometheus/") or root.get("kind") == KIND


def read_sloth(document: Document, reading: Reading, windows: Windows) -> None:
    """All SLOs of a document."""
    kubernetes = "kind" in document.root() or "apiVersion" in document.root()
    found, wrong = read(document, _KUBERNETES if kubernetes else _PLAIN, {})
    reading.diagnostics += wrong
    if found is None:
        return
    here: Path = ("spec",) if kubernetes else ()
    if kubernetes:
        reading.metadata(document)
    spec = found["spec"] if kubernetes else found
    reading.dropped(document, here, spec, _OF_SPEC)
    service = reading.name(document, (*here, "service"), spec["service"], "service")
    for index, slo in enumerate(spec["slos"]):
        _Slo(document, reading, windows, (*here, "slos", index), service).read(slo)


class _Slo:
    """Reads one SLO."""

    def __init__(self, document: Document, reading: Reading, windows: Windows, here: Path, service: str) -> None:
        self._document, self._reading, self._windows = document, reading, windows
        self._here, self._service = here, service

    def read(self, slo: dict[str, Any]) -> None:
        """Keep the SLO, or say why not."""
        self._reading.dropped(self._document, self._here, slo, _OF_SLO)
        name = slo["name"] if slo["name"].startswith(f"{self._service}-") else f"{self._service}-{slo['name']}"
        name = self._reading.name(self._document, (*self._here, "name"), name, "slo")
        found = self._sli(slo["sli"])
        if found is None:
            return
        place: Path = (*self._here, "sli")
        if found.sli is None or slo["objective"] >= 1:
            why = found.said[0] if found.sli is None else "an objective of 100% leaves no error budget"
            self._reading.notice(self._document, self._here, f"the SLO {name} is not carried over: {why}")
            return
        for said in found.said:
            self._reading.notice(self._document, place, f"{name}: {said}")
        window = self._windows.period
        burns = self._burns(slo["alerting"])
        tiers = self._reading.tiers(self._document, self._here, burns, window, slo["objective"])
        description = slo.get("description", "").strip()
        self._reading.slos.append(
            ForeignSlo(
                document=self._document,
                place=self._here,
                name=name,
                service=self._service,
                window=window,
                sli=found.sli,
                objective=slo["objective"],
                tiers=tiers,
                description=description,
            )
        )

    def _sli(self, sli: dict[str, Any]) -> Found | None:
        if "plugin" in sli:
            return Found(None, (f"the plugin {sli['plugin']['id']} writes its query when Sloth runs",))
        kind = "raw" if "raw" in sli else "events"
        queries: list[tuple[str, Query]] = list(sli[kind].items())
        open_ = [key for key, query in queries if not query.windowed]
        for key in open_:
            place: Path = (*self._here, "sli", kind, key)
            self._reading.problem(self._document, place, f"{key} does not use the window", "write [{{.window}}]")
        if open_:
            return None
        if kind == "raw":
            return sli_of_ratio("bad", queries[0][1])
        by_key = dict(queries)
        error, total = (by_key[key] for key in sorted(by_key))
        return sli_of_counts("bad", error, total)

    def _burns(self, alerting: dict[str, Any]) -> Sequence[Burn]:
        place: Path = (*self._here, "alerting")
        self._reading.dropped(self._document, place, alerting, _OF_ALERTING)
        silent: set[Severity] = set()
        for key in alerting:
            severity = Severity.PAGE if key.startswith("page") else Severity.TICKET
            if isinstance(alerting[key], dict) and key not in _OF_ALERTING:
                self._reading.dropped(self._document, (*place, key), alerting[key], _OF_ALERT)
                silent |= {severity} if alerting[key].get("disable") else set()
        return [burn for burn in self._windows.burns if burn.severity not in silent]
