"""One tick, from inputs to Outcome. The same inputs in the same order give the same Outcomes, byte for byte."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from figwatch_agent.durations import SECOND, Duration, Instant, format_seconds
from figwatch_agent.engine.casework import Casework
from figwatch_agent.engine.catalog import Catalog, compile_catalog
from figwatch_agent.engine.counting import Counter
from figwatch_agent.engine.desk import Desk, Notes
from figwatch_agent.engine.excluding import Excluding
from figwatch_agent.engine.explaining import explain, subjects
from figwatch_agent.engine.feedback import Feedback
from figwatch_agent.engine.gating import Gate
from figwatch_agent.engine.guarding import Guard
from figwatch_agent.engine.history import Histories
from figwatch_agent.engine.late import Late, Told
from figwatch_agent.engine.ledger import Ledger
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.engine.missed import Missed
from figwatch_agent.engine.paging import Paging
from figwatch_agent.engine.past import PastCounts
from figwatch_agent.engine.restoring import restore
from figwatch_agent.engine.saving import Parts, changed_sections, rewritten, ring_row
from figwatch_agent.engine.signals import Signals
from figwatch_agent.engine.skipping import Skipping
from figwatch_agent.engine.tab import Tab
from figwatch_agent.engine.tally import Tally
from figwatch_agent.engine.telling import samples_in
from figwatch_agent.engine.unknown import Unknown
from figwatch_agent.engine.uptimes import Uptimes
from figwatch_agent.engine.verifying import Verifier
from figwatch_agent.engine.viewing import view_of
from figwatch_agent.engine.watching import Watches
from figwatch_agent.engine.wishes import Wishes
from figwatch_agent.model.batch import Batch, Reading
from figwatch_agent.model.explanation import Explanation
from figwatch_agent.model.gate import GateAnswer, following
from figwatch_agent.model.history import RouteHistory, Shares
from figwatch_agent.model.incident import Incident
from figwatch_agent.model.inputs import Inputs
from figwatch_agent.model.missing import Missing
from figwatch_agent.model.names import Stage
from figwatch_agent.model.outcome import LedgerEntry, Outcome, RingRow, Saved, TransitionKind
from figwatch_agent.model.settings import Settings
from figwatch_agent.model.slo import ServiceSlos
from figwatch_agent.model.view import View

STEP_TOLD = SECOND
"""A wall clock that moved by less against ours is adjusted, not set."""

MOST_SINGLY = 16
"""Ticks of a history that are lived through one by one before anybody looks again whether the next ones are quiet."""

Readings = Callable[[Instant], tuple[Reading, ...]]
"""Answers to the questions that a live agent asks in a tick."""


def _nothing_read(now: Instant) -> tuple[Reading, ...]:
    return ()


class Engine:
    """Holds the state of a migration's SLOs; time and inputs are handed in, nothing is read or written elsewhere."""

    def __init__(
        self,
        services: tuple[ServiceSlos, ...],
        settings: Settings,
        saved: Saved | None = None,
        *,
        keeps_state: bool = True,
    ) -> None:
        """Without ``keeps_state`` Outcomes carry no state and no ledger, which is then asked for at the end.

        Nothing else differs; it is for whoever replays and stores nothing.
        """
        self.catalog: Catalog = compile_catalog(services, settings)
        self.sequence = 0
        self.at: Instant | None = None
        self._desk = Desk()
        self._rings = Rings(self.catalog)
        self._histories = Histories(self._rings)
        self._excluding = Excluding(self.catalog, self._rings)
        self._counter = Counter(self.catalog)
        self._uptimes = Uptimes(self.catalog)
        self._watches = Watches(self.catalog, self._rings)
        self._signals = Signals(self.catalog, self._rings, self._desk)
        self._casework = Casework(self.catalog, self._desk, self._watches)
        self._verifier = Verifier(self.catalog, self._desk)
        self._wishes = Wishes(self.catalog, self._desk, self._watches, self._casework)
        self._feedback = Feedback(self._desk)
        self._guard = Guard(self.catalog, self._desk, self._rings, self._watches)
        self._paging = Paging(self.catalog, self._desk, self._rings, self._watches)
        self._keeps_state = keeps_state
        self._ledger = Ledger()
        self._unknown = Unknown(len(self.catalog.streams))
        self._late = Late(self.catalog, self._rings, self._unknown, self._ledger)
        self._missed = Missed(self.catalog, self._counter, self._rings, self._unknown)
        self._tab = Tab(self.catalog)
        self._parts = Parts(
            rings=self._rings,
            counter=self._counter,
            watches=self._watches,
            signals=self._signals,
            uptimes=self._uptimes,
            desk=self._desk,
            excluding=self._excluding,
            unknown=self._unknown,
            missed=self._missed,
            untimed_total=np.zeros(len(self.catalog.streams), dtype=np.int64),
            untimed_bad=np.zeros(len(self.catalog.streams), dtype=np.int64),
        )
        self._tally: Tally | None = None
        self._skipping = Skipping(
            self.catalog,
            self._rings,
            self._watches,
            self._counter,
            self._desk,
            self._signals,
            self._excluding,
            self._unknown,
            self._uptimes,
            self._tab,
            self._guard,
        )
        if saved is not None:
            self.sequence, self.at = saved.sequence, saved.at
            restore(self._parts, saved)
            self._ledger.restore(saved.ledger)
            self._tab.restore(saved.ledger)

    def wanted(self) -> frozenset[str]:
        """Names of the samples that a source needs to deliver."""
        return self._counter.wanted()

    def counted_to(self) -> dict[str, Instant]:
        """By scrape target its last answer that is counted."""
        return {name: memory.at for name, memory in self._counter.memories.items() if memory.at is not None}

    def missing(self) -> tuple[Missing, ...]:
        """Answers that a source was not asked for in time and can still tell."""
        return self._missed.missing()

    def advance(self, inputs: Inputs, now: Instant) -> Outcome:
        """Take one tick's inputs. ValueError when ``now`` is not after the tick before."""
        self._watches.settle()
        return self._advance(inputs, now)

    def advance_many(self, counts: PastCounts, places: range, readings: Readings = _nothing_read) -> Iterator[Outcome]:
        """Take these ticks of a history, as if one after the other was handed to ``advance``.

        Gives the Outcomes of those at which anything happens. Where an engine keeps no state that is not all of them:
        what the others would have told is nothing.
        """
        place, singly, skipped = places.start, 1, 0
        while place < places.stop:
            sequence = self.sequence + 1
            skipped, changed = self._skip(counts, place, places.stop, readings)
            for tick, incidents in sorted(changed.items()):
                at = int(counts.ticks[place + tick])
                yield Outcome(sequence=sequence + tick, at=at, incidents=tuple(incidents))
            if skipped:
                place, singly = place + skipped, 1
                continue
            for each in range(place, min(place + singly, places.stop)):
                yield self._live(counts, each, readings)
                place = each + 1
            singly = min(2 * singly, MOST_SINGLY)
        if skipped and self.at is not None:
            self._tally = self._counter.count((), self.at, (counts.counted(place - 1),))
            self._uptimes.advance((), self._tally, self.at)

    def _skip(
        self, counts: PastCounts, place: int, end: int, readings: Readings
    ) -> tuple[int, dict[int, list[Incident]]]:
        """How many ticks were lived through together, and by tick the incidents that changed."""
        lag = None if self._keeps_state else self._skipping.lag(counts, place, self.at)
        if lag is None or self.at is None:
            return 0, {}
        skipped, changed = self._skipping.skip(lag, place, end, self.at, readings)
        if skipped:
            self.at, self.sequence = int(counts.ticks[place + skipped - 1]), self.sequence + skipped
        return skipped, changed

    def _live(self, counts: PastCounts, place: int, readings: Readings) -> Outcome:
        now = int(counts.ticks[place])
        inputs = replace(counts.inputs(place), readings=readings(now))
        if self._keeps_state or self._skipping.lag(counts, place, self.at) is None:
            return self.advance(inputs, now)
        return self._advance(inputs, now)

    def _advance(self, inputs: Inputs, now: Instant) -> Outcome:
        since = self.at if self.at is not None else now
        if self.at is not None and now <= self.at:
            raise ValueError(f"a tick at {now} does not follow one at {self.at}")
        notes = Notes()
        self._remark(inputs, now, notes)
        self._ledger.begin(now)
        counted, ring_rows = self._measure(inputs, now, notes)
        tally = counted.spent()
        self._sampled(inputs, now, notes)
        self._wishes.hear(inputs.commands, now, notes)
        self._feedback.learn(inputs.effects, now, notes)
        self._alert(tally, since, now, notes)
        self._guard.weigh(tally, inputs, self._wishes.approvals, now, notes)
        self._verifier.verify(tally, since, now, notes)
        self._find(tally, now, notes)
        self._account(counted, now)
        self._casework.settle(now, notes)
        self._paging.tell(now, notes)
        self.at, self.sequence, self._tally = now, self.sequence + 1, tally
        return self._outcome(inputs, now, notes, ring_rows)

    def view(self, now: Instant) -> View:
        """Everything there is to see at the last tick."""
        return view_of(self._parts, self._tally, self.sequence, self.at if self.at is not None else now)

    def gate(self, route: str, to: Stage | None, now: Instant, over: Duration | None = None) -> GateAnswer | None:
        """Whether a route may move on to a stage, its next if left out, judged at the newest tick.

        None for a route that no file declares, or before a tick. ``over``: judge budgets over this time.
        """
        watched = self.catalog.route(route)
        if watched is None or self.at is None:
            return None
        wanted = following(watched.route.stage) if to is None else to
        return Gate(self._parts, self._tally, watched, wanted, over).answer(self.at, now)

    def history(self, route: str, span: Duration) -> RouteHistory | None:
        """One route over a span of model.history.SPANS; None for one that no file declares, or before a tick."""
        return self._histories.route(route, span)

    def shares(self, span: Duration) -> Shares:
        """Legacy's share of every route over a span of model.history.SPANS."""
        return self._histories.shares(span)

    def explain(self, subject: str) -> Explanation | None:
        """Why it pages, or not, at the last tick; None where there is no such subject, or before a tick."""
        return None if self.at is None else explain(self._parts, self._tally, subject, self.at)

    def subjects(self) -> tuple[str, ...]:
        """What can be explained: routes, SLOs, and incidents and alerts that are remembered."""
        return subjects(self._parts)

    def ledger(self) -> Iterator[LedgerEntry]:
        """The budget ledger so far, of an engine that keeps no state: Outcomes of one that does carry it."""
        return self._tab.entries()

    def _account(self, counted: Tally, now: Instant) -> None:
        if self._keeps_state:
            self._ledger.add(self.catalog, self._desk, counted, self._excluding.owner, now)
        else:
            self._tab.add(self._desk, counted, self._excluding.owner, now)

    def _measure(self, inputs: Inputs, now: Instant, notes: Notes) -> tuple[Tally, tuple[RingRow, ...]]:
        self._excluding.hear(inputs.commands, now, notes)
        self._ledger.set_aside(self._excluding.past_cells(), now)
        for reading in inputs.readings:
            self._desk.readings[reading.name] = reading
        past = [each for each in inputs.counted if self.at is not None and each.at <= self.at]
        told = self._late.take(past, self._counter.empty(), self._desk, self._watches, now) if past else Told()
        batches = self._catch_up(inputs, told, now)
        fresh = tuple(each for each in inputs.counted if self.at is None or each.at > self.at)
        tally = self._counter.count(batches, now, fresh)
        tally.findings.update(told.findings)
        uptime = self._uptimes.advance(inputs.probes, tally, now)
        tally.excluded |= self._excluding.step(now)
        self._parts.untimed_total += tally.untimed_total
        self._parts.untimed_bad += tally.untimed_bad
        self._unknown.advance(tally.covered, now)
        told_rows = self._rings.rows(told.slots) if self._keeps_state else ()
        rows = [ring_row(self._parts, name, row) for name, row in told_rows]
        spans = self._rings.advance(tally, uptime, now)
        self._excluding.settle(tally, now)
        if not self._keeps_state:
            return tally, ()
        rows += [ring_row(self._parts, name, row) for name, span in spans for row in self._rings.written(name, span)]
        return tally, (*rows, *rewritten(self._parts))

    def _catch_up(self, inputs: Inputs, told: Told, now: Instant) -> tuple[Batch, ...]:
        """Count answers that were not read in time, and what nobody will tell any more; gives those of this tick."""
        batches, counted, untimed = self._missed.overdue(inputs.batches, self.at)
        many = [untimed]
        if self._missed.silences:
            past, untold = self._missed.take(inputs.past)
            counted += past
            many += [untold, self._missed.give_up(now)]
        in_order = sorted(counted, key=lambda pair: pair[0])
        self._late.count_many(in_order, told, self._desk, self._watches, now)
        for each in many:
            self._parts.untimed_total += each.total
            self._parts.untimed_bad += each.bad
        return batches

    def _sampled(self, inputs: Inputs, now: Instant, notes: Notes) -> None:
        """Keep what queries answered; what was told long ago is let go of."""
        self._desk.book.forget(now - self.catalog.settings.keep)
        for reading in inputs.readings:
            for event in samples_in(reading, now):
                if self._desk.book.add(event):
                    notes.events.append(event)

    def _alert(self, tally: Tally, since: Instant, now: Instant, notes: Notes) -> None:
        fired, resolved = self._watches.advance(tally, since, now)
        for watch, alert in fired:
            self._casework.fired(watch, alert, now, notes)
        for alert, last_bad in resolved:
            self._casework.resolved(alert, last_bad, now, notes)
        self._casework.relieved([alert for alert, _ in resolved], now, notes)
        signals, unknown = self._signals.look(tally, since, now)
        self._casework.signalled(signals, unknown, now, notes)

    def _remark(self, inputs: Inputs, now: Instant, notes: Notes) -> None:
        if inputs.restarted and self.at is not None:
            off = format_seconds(now - self.at)
            notes.note(
                now, TransitionKind.RESTARTED, "agent", f"the agent was off for {off}; its clock is anchored anew"
            )
        if abs(inputs.wall_step - self._desk.wall_step) >= STEP_TOLD:
            moved = format_seconds(abs(inputs.wall_step - self._desk.wall_step))
            way = "forward" if inputs.wall_step > self._desk.wall_step else "back"
            self._desk.wall_step = inputs.wall_step
            text = f"the wall clock was set {way} by {moved}; durations are not affected"
            notes.note(now, TransitionKind.CLOCK_STEPPED, "clock", text)

    def _find(self, tally: Tally, now: Instant, notes: Notes) -> None:
        for key, text in tally.findings.items():
            if self._desk.findings.get(key) != text:
                notes.note(now, TransitionKind.FINDING, key, text)
        self._desk.findings = dict(tally.findings)

    def _outcome(self, inputs: Inputs, now: Instant, notes: Notes, rows: tuple[RingRow, ...]) -> Outcome:
        return Outcome(
            sequence=self.sequence,
            at=now,
            transitions=tuple(notes.transitions),
            outbox=tuple(notes.outbox),
            intents=tuple(notes.intents),
            incidents=tuple(notes.incidents.values()),
            ledger=self._ledger.changed(),
            ledger_late=tuple(self._ledger.late),
            ledger_aside=tuple(self._ledger.aside),
            ring_rows=rows,
            sections=changed_sections(self._parts) if self._keeps_state else (),
            commands=tuple(command.id for command in inputs.commands),
            effects=tuple(effect.id for effect in inputs.effects),
            events=tuple(notes.events),
            baselines=tuple(notes.baselines),
        )
