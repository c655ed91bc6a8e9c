"""The agent about itself: what it reads, what it still has to tell, where it remembers, which files are in force."""

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.model.agent import AgentFacts, Reload, StoreFacts
from figwatch_agent.model.view import TargetView, View
from figwatch_agent.report.numbers import seconds
from figwatch_agent.report.overview import silences_document
from figwatch_agent.report.secrecy import without_userinfo


def agent_document(view: View | None, facts: AgentFacts, *, public: bool = False) -> dict[str, object]:
    """The agent's page; without a view before the first tick. ``public`` leaves paths of files out."""
    return {
        "version": 1,
        "at": format_instant(facts.at),
        "agent_version": facts.version,
        "started_at": format_instant(facts.started_at),
        "uptime_seconds": seconds(max(facts.at - facts.started_at, 0)),
        "healthy": dict(facts.healthy),
        "first_tick_at": None if view is None else format_instant(view.started_at),
        "newest_tick_at": None if view is None else format_instant(view.at),
        "sequence": None if view is None else view.sequence,
        "interval_seconds": seconds(facts.interval),
        "last_tick_ms": facts.last_tick,
        "mode": None if view is None else view.mode,
        "kill_switch": facts.kill_switch,
        "wall_clock_step_seconds": None if view is None else seconds(view.wall_step),
        "sources": [] if view is None else [_source(target, facts, view.at) for target in view.targets],
        "findings": [] if view is None else [without_userinfo(finding) for finding in view.findings],
        "silences": [] if view is None else silences_document(view),
        "outbox": {
            "oldest_pending_at": _iso(facts.oldest_pending),
            "oldest_pending_seconds": (
                None if facts.oldest_pending is None else seconds(max(facts.at - facts.oldest_pending, 0))
            ),
            "queues": [
                {"receiver": queue.receiver, "state": queue.state, "rows": queue.rows} for queue in facts.queues
            ],
        },
        "store": _store(facts.store, public),
        "reload": None if facts.reload is None else _reload(facts.reload, public),
        "files": [
            {"path": None if public else file.path, "name": file.path.rpartition("/")[2], "sha256": file.sha256}
            for file in facts.files
        ],
    }


def _source(target: TargetView, facts: AgentFacts, at: Instant) -> dict[str, object]:
    """``reason`` in the words of whoever asked: what the engine found is the closed word for it."""
    why = "" if target.up else facts.faults.get(target.target) or target.reason
    silent = None if target.last_answer is None else max(at - target.last_answer, 0)
    return {
        "target": without_userinfo(target.target),
        "up": target.up,
        "reason": without_userinfo(why) or None,
        "last_answer": _iso(target.last_answer),
        "stale_seconds": None if silent is None else seconds(silent),
    }


def _store(store: StoreFacts, public: bool) -> dict[str, object]:
    return {
        "path": None if public else store.path,
        "healthy": store.healthy,
        "bytes": store.bytes,
        "schema": store.schema,
        "last_commit": _iso(store.last_commit),
    }


def _reload(reload: Reload, public: bool) -> dict[str, object]:
    why = "the files are wrong; the log of the agent says where" if public else reload.reason
    return {"at": format_instant(reload.at), "ok": reload.ok, "reason": None if reload.ok else why}


def _iso(at: Instant | None) -> str | None:
    return None if at is None else format_instant(at)
