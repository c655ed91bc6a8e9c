"""What is the matter, in sentences for a tired person: first what users feel, then what figwatch does about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from figwatch_agent.model.decision import Reason
from figwatch_agent.model.sentences import OPEN, WHY
from figwatch_agent.report.words import percent, visible

Json = Mapping[str, Any]

_SYMPTOMS: Final[Mapping[str, tuple[str, str]]] = {
    "EarlyOutage": ("requests fail", "requests failed"),
    "ErrorBudgetBurnFast": ("requests fail", "requests failed"),
    "LatencyDegraded": ("requests are slow", "requests were slow"),
    "ErrorBudgetBurnSlow": ("the error budget burns too fast", "the error budget burned too fast"),
    "UptimeLow": ("probes of the service fail", "probes of the service failed"),
    "TrafficLost": ("traffic has stopped", "traffic had stopped"),
    "TelemetryLost": ("what users see cannot be measured", "what users see could not be measured"),
    "LegacyLeak": ("a migrated route still reaches legacy", "a migrated route still reached legacy"),
    "RollbackIneffective": ("the rollback did not help", "the rollback did not help"),
    "RollbackUnverified": (
        "nobody can say yet whether the rollback helped",
        "nobody could say whether the rollback helped",
    ),
    "RollbackNeedsHuman": ("a rollback stopped half-way", "a rollback stopped half-way"),
    "DeliveryFailing": ("a receiver refuses pages", "a receiver refused pages"),
    "ExternalAlert": ("another system reports it", "another system reported it"),
}
"""By the alert's name, the worst first: while it lasts, and afterwards."""

_UNNAMED: Final = ("something is wrong", "something was wrong")

_ROLLBACKS: Final[Mapping[str, str]] = {
    "committed": "figwatch is about to send the route back to legacy",
    "running": "figwatch is sending the route back to legacy",
    "done": "figwatch sent the route back to legacy",
    "compensated": "the rollback failed and was undone: a person must act",
    "failed": "the rollback failed half-way: a person must act",
    "needs_human": "the rollback stopped half-way: a person must act",
    "expired": "the rollback was not begun in time: a person must act",
    "abandoned": "the rollback was not begun, the gateway had changed: a person must act",
}

_DECISIONS: Final[Mapping[str, str]] = {
    "rollback": "figwatch is about to send the route back to legacy",
    "withheld": "no rollback: a person must act",
    "dry_run": "figwatch would roll back, but only says so (mode dry-run): a person must act",
    "awaiting_approval": "a rollback waits for a person's approval",
}

_VERDICTS: Final[Mapping[str, str]] = {
    "helped": ", and it helped",
    "ineffective": ", and it did not help: a person must act",
    "unverified": "; nobody can say yet whether it helped",
    "pending": "; whether it helped is being watched",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The first thing a page says."""

    state: str  # ok | bad | warn | unknown
    sentence: str
    more: str
    title: str  # for the browser's tab


def symptom(alerts: Sequence[str], *, over: bool = False) -> str:
    """What users feel, or felt where it is over; of several alerts the worst speaks."""
    now, past = next((words for name, words in _SYMPTOMS.items() if name in alerts), _UNNAMED)
    return past if over else now


def about(incident: Json) -> str:
    """What an incident is about."""
    return visible(incident["route"]) or "figwatch itself"


def doing(incident: Json) -> str:
    """What figwatch does about an incident, without a full stop; empty where there is nothing to say."""
    rollback, decision = incident["rollback"], incident["decision"]
    if rollback is not None:
        state, verdict = (rollback, "") if isinstance(rollback, str) else (rollback["state"], rollback["verdict"])
        return _ROLLBACKS.get(state, state) + (_VERDICTS.get(verdict, "") if state == "done" else "")
    if decision is None:
        return ""
    outcome, reason = (
        (decision, incident.get("reason")) if isinstance(decision, str) else (decision["outcome"], decision["reason"])
    )
    return _withheld(reason) if outcome == "withheld" and reason else _DECISIONS.get(outcome, "")


def _withheld(reason: str) -> str:
    """An open question is no refusal: nobody should act by hand on it a second too early."""
    why = WHY[Reason(reason)]
    return f"no rollback yet: {why}, the decision follows" if reason in OPEN else f"no rollback: {why}"


def mitigated(incident: Json) -> bool:
    """Whether nobody is hit any more, of a whole incident or of what a list says of one."""
    return incident["mitigated"] if "mitigated" in incident else incident["mitigated_at"] is not None


def incident_state(incident: Json) -> str:
    """How an incident looks: over, about to be over, or bad."""
    if not incident["open"]:
        return "ok"
    return "bad" if incident["severity"] == "page" and not mitigated(incident) else "warn"


def incident_word(incident: Json) -> str:
    """The same in words."""
    if not incident["open"]:
        return "resolved"
    return (
        "impact over, still watched"
        if mitigated(incident)
        else "users affected"
        if incident["severity"] == "page"
        else "open"
    )


def sentence(text: str) -> str:
    """With a capital and a full stop; figwatch is never written large."""
    begun = text if text.startswith("figwatch") else text[:1].upper() + text[1:]
    return f"{begun}." if begun else ""


def headline(document: Json, healthy: Mapping[str, bool], spent: int = 0, blind: int = 0) -> Headline:
    """Of the overview: all well, or what is broken.

    ``spent`` and ``blind``: how many routes have spent an error budget, and how many are not wholly measured.
    """
    ill = sorted(name for name, well in healthy.items() if not well)
    pages = [one for one in document["incidents"] if one["severity"] == "page"]
    number = document["open"]["page"] + document["open"]["ticket"]
    title = f"{number} open · figwatch" if number else "all well · figwatch"
    if "loop" in ill:
        more = "The agent has not finished a tick for a while: what stands below is old."
        return Headline(state="unknown", sentence="figwatch cannot see just now", more=more, title="blind · figwatch")
    if pages:
        more = f"{sentence(doing(pages[0]))} {_serving(document)}" if len(pages) == 1 else _serving(document)
        return Headline(state=_worst(pages), sentence=_broken(pages), more=more.strip(), title=title)
    if ill:
        what = " and ".join(ill)
        return Headline(
            state="bad", sentence=f"figwatch itself is not well: {what}", more=_serving(document), title=title
        )
    if number:
        words = sentence(f"{about(document['incidents'][0])}: {symptom(document['incidents'][0]['alerts'])}")
        opened = "One ticket is open" if number == 1 else f"{number} tickets are open"
        return Headline(state="warn", sentence=opened, more=f"{words} {_serving(document)}", title=title)
    return _quiet(document, title, spent, blind)


def _quiet(document: Json, title: str, spent: int, blind: int) -> Headline:
    targets, routes = document["targets"], document["page"]["all"]
    down = targets["all"] - targets["up"]
    if targets["all"] and down == targets["all"]:
        more = "No scrape target answers. What was not measured is unknown, never good."
        return Headline(
            state="unknown", sentence="Nothing can be measured just now", more=more, title="blind · figwatch"
        )
    if not routes:
        more = "Declare them in slo/, and figwatch check says whether the files are right."
        return Headline(state="unknown", sentence="No route is declared", more=more, title="figwatch")
    if spent:
        title = f"{spent} overspent · figwatch"
        said = (
            "One route has spent its error budget" if spent == 1 else f"{spent} routes have spent their error budgets"
        )
        return Headline(state="warn", sentence=said, more=f"No incident is open. {_serving(document)}", title=title)
    if blind:
        said = "One route is not wholly measured" if blind == 1 else f"{blind} routes are not wholly measured"
        more = f"No incident is open; unknown is never good. {_serving(document)}"
        return Headline(state="unknown", sentence=said, more=more, title="partly blind · figwatch")
    promise = "The only route keeps its promises" if routes == 1 else f"All {routes} routes keep their promises"
    if down:
        lost = f"{down} of {targets['all']} scrape targets do not answer."
        return Headline(state="warn", sentence=promise, more=f"{lost} {_serving(document)}", title=title)
    return Headline(state="ok", sentence=promise, more=_serving(document), title=title)


def _worst(pages: Sequence[Json]) -> str:
    return "bad" if any(incident_state(one) == "bad" for one in pages) else "warn"


def _broken(pages: Sequence[Json]) -> str:
    hurting = [one for one in pages if not one["mitigated"]]
    if not hurting:
        one = pages[0]
        return f"{about(one)} is healing" if len(pages) == 1 else f"{len(pages)} routes are healing"
    if len(hurting) == 1:
        return f"{about(hurting[0])}: {symptom(hurting[0]['alerts'])}"
    return f"{len(hurting)} routes are in trouble"


def _serving(document: Json) -> str:
    ratio = document["legacy_ratio"]
    if ratio is None:
        return "No request of a user was seen in the last hour."
    if float(ratio) == 0:
        return "Legacy serves nothing any more."
    return f"Legacy serves {percent(float(ratio))} of all requests."
