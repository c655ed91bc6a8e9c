"""Exclusions: who declared them, which streams they set aside when, and what is odd about them."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from figwatch_agent.durations import Instant, format_instant
from figwatch_agent.engine.aside import Piece
from figwatch_agent.engine.catalog import Catalog
from figwatch_agent.engine.desk import Notes, refuse
from figwatch_agent.engine.less import boundary_above, boundary_below
from figwatch_agent.engine.measuring import COVERED, Rings
from figwatch_agent.engine.setting_aside import edges, part_of, past_cells, settle_edges
from figwatch_agent.engine.tally import Tally
from figwatch_agent.evaluate.excluded import gaps
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.exclusion import Exclusion, ExclusionState, Scope, declaration, exclusion_id, in_words
from figwatch_agent.model.outcome import LedgerAside, TransitionKind

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Excluding:
    """Knows the exclusions, and sees to it that the rings set aside what they say."""

    def __init__(self, catalog: Catalog, rings: Rings) -> None:
        self.catalog = catalog
        self.rings = rings
        self.known: dict[str, Exclusion] = {}  # in the order of their declaration
        self.version = 0  # counts changes of ``known``
        self._fresh: list[Piece] = []  # begun or ended with this tick
        self.past: list[Piece] = []  # declared in this tick after the fact: the ledger learns of them

    def hear(self, commands: tuple[Command, ...], now: Instant, notes: Notes) -> None:
        """Declare and end exclusions before the tick is counted, or say why not."""
        self.past = []
        for command in commands:
            if command.kind is CommandKind.EXCLUDE:
                refuse(command, self._declare(command, now, notes), now, notes)
            elif command.kind is CommandKind.END_EXCLUSION:
                refuse(command, self._end(command, now, notes), now, notes)

    def step(self, now: Instant) -> Flags:
        """Begin and end pieces before the rings count a tick; gives the streams that the tick is set aside of."""
        self._fresh = []
        aside = np.zeros(len(self.catalog.streams), dtype=np.bool_)
        if not self.known:
            return aside
        at = self.rings.rings["budget"].at
        for piece in list(self.rings.aside.open()):
            exclusion = self.known[piece.exclusion]
            if exclusion.covers(now):
                aside[piece.streams] = True
            else:
                until = max(exclusion.counted_to or now, piece.after, at or 0)
                self.rings.aside.close(piece, until, edges(self.rings))
                self._fresh.append(piece)
        goes_on = aside.copy()
        for exclusion in self.known.values():
            until = now if exclusion.counted_to is None else min(exclusion.counted_to, now)
            since = max(exclusion.counted_from, at or 0)
            if since < until:
                free = np.flatnonzero(self._streams(exclusion) & ~goes_on).tolist()
                self._fresh += self._fill(exclusion, free, since, until, now)
                aside[free] |= exclusion.covers(now)
        self._forget(now)
        return aside

    def settle(self, tally: Tally, now: Instant) -> None:
        """After the rings counted a tick: probes tell of time slot by slot, so that their edges are known only now."""
        for piece in self._fresh:
            part = piece.parts.get("uptime")
            if part is not None:
                settle_edges(self.rings, part)
                self.rings.aside.version += 1
        for stream in np.flatnonzero(tally.excluded).tolist():
            owner = self.known[self.owner(stream)]
            tally.stream_findings[stream] = f"excluded ({owner.id}, {owner.who}): {owner.why}"
        tally.findings.update(self.findings(now))

    def past_cells(self) -> Iterator[LedgerAside]:
        """What was declared after the fact in this tick, as the ledger counts it."""
        for piece in self.past:
            yield from past_cells(self.rings, piece)

    def owner(self, stream: int) -> str:
        """The exclusion that sets a stream aside now; "" where none does."""
        return next((piece.exclusion for piece in self.rings.aside.open() if stream in piece.streams), "")

    def about(self, streams: set[int]) -> tuple[Exclusion, ...]:
        """Exclusions that concern any of these streams, in the order of their declaration."""
        return tuple(
            each for each in self.known.values() if any(self._concerns(each, stream) for stream in sorted(streams))
        )

    def findings(self, now: Instant) -> dict[str, str]:
        """Exclusions that were left open for so long that somebody may have forgotten them."""
        patience = self.catalog.settings.alerting.exclusion_open_after
        return {
            f"exclusion {each.id}": (
                f"{each.scope.value} {each.name} is excluded since {format_instant(each.begins)}, left open by "
                f"{each.who}: end it with `figwatch exclude end {each.id}`"
            )
            for each in self.known.values()
            if each.ends is None and now - each.begins >= patience
        }

    def _declare(self, command: Command, now: Instant, notes: Notes) -> str:
        try:
            wished = declaration(command)
        except ValueError as error:
            return str(error)
        if not command.why:
            return "an exclusion needs a reason"
        ring = self.rings.rings["budget"]
        begins = boundary_below(ring, max(wished.begins, self.rings.began))  # before it nothing was counted
        if begins is None:
            return "it begins before what is kept of the past"
        exclusion = Exclusion(
            id=exclusion_id(command.id),
            scope=wished.scope,
            name=wished.name,
            begins=wished.begins,
            ends=wished.ends,
            counted_from=begins,
            counted_to=None if wished.ends is None else boundary_above(ring, wished.ends),
            who=wished.who,
            why=command.why,
            declared_at=now,
            declared_by=command.actor,
        )
        if not self._streams(exclusion).any():
            return f"no {wished.scope.value} of that name has an SLO"
        self.known[exclusion.id] = exclusion
        self.version += 1
        self._count_past(exclusion)
        text = f"{in_words(exclusion)} is excluded ({exclusion.id}) for {exclusion.who}: {exclusion.why}"
        notes.note(now, TransitionKind.EXCLUDED, exclusion.id, text, actor=command.actor)
        return ""

    def _end(self, command: Command, now: Instant, notes: Notes) -> str:
        exclusion = self.known.get(command.subject)
        if exclusion is None:
            return "no exclusion of that id"
        at = max(command.at, self.rings.rings["budget"].at or 0)
        if exclusion.state(at) not in (ExclusionState.PLANNED, ExclusionState.RUNNING):
            return "it is over"
        counted_to = max(boundary_above(self.rings.rings["budget"], at), exclusion.counted_from)
        if exclusion.state(at) is ExclusionState.PLANNED:
            counted_to = exclusion.counted_from  # it sets nothing aside
        ended = replace(exclusion, ends=command.at, counted_to=counted_to, ended_by=command.actor)
        self.known[exclusion.id] = ended
        self.version += 1
        text = f"{in_words(ended)} ({ended.id}) is ended"
        notes.note(now, TransitionKind.EXCLUDED, ended.id, text, actor=command.actor)
        return ""

    def _count_past(self, exclusion: Exclusion) -> None:
        """Set aside what was counted before anybody declared it, where no other exclusion has done so."""
        at = self.rings.rings["budget"].at
        until = at if at is None or exclusion.counted_to is None else min(exclusion.counted_to, at)
        if until is None or until <= exclusion.counted_from:
            return
        streams = np.flatnonzero(self._streams(exclusion)).tolist()
        self.past += self._fill(exclusion, streams, exclusion.counted_from, until)

    def _fill(
        self, exclusion: Exclusion, streams: list[int], since: Instant, until: Instant, now: Instant | None = None
    ) -> list[Piece]:
        """Set aside what of (since, until] is not set aside of these streams yet; what reaches ``now`` goes on."""
        stretches: dict[tuple[Instant, Instant], list[int]] = {}
        for stream in streams:
            for gap in gaps(since, until, self.rings.aside.taken(stream, until)):
                stretches.setdefault(gap, []).append(stream)
        return [
            self._begin(
                exclusion,
                np.array(each, dtype=np.int64),
                after,
                None if before == now and exclusion.covers(before) else before,
            )
            for (after, before), each in stretches.items()
        ]

    def _begin(self, exclusion: Exclusion, streams: Counts, after: Instant, until: Instant | None) -> Piece:
        routes = [route.index for route in self.catalog.routes if self._is_about(exclusion, route.route.template)]
        piece = Piece(exclusion=exclusion.id, after=after, until=until, streams=streams, parts={})
        for name in (*self.rings.rings, COVERED):
            part = part_of(self.rings, name, piece, routes)
            if part is not None:
                piece.parts[name] = part
        self.rings.aside.put(piece)
        return piece

    def _streams(self, exclusion: Exclusion) -> Flags:
        return np.array(
            [self._concerns(exclusion, place) for place in range(len(self.catalog.streams))], dtype=np.bool_
        )

    def _concerns(self, exclusion: Exclusion, place: int) -> bool:
        stream = self.catalog.streams[place]
        match exclusion.scope:
            case Scope.ROUTE:
                return bool(stream.route) and stream.route == exclusion.name
            case Scope.SLO:
                return stream.slo.name == exclusion.name
            case Scope.SERVICE:
                return stream.service.service == exclusion.name

    def _is_about(self, exclusion: Exclusion, template: str) -> bool:
        """Whether the latency of a route is set aside as well: that of a route or a service, not that of one SLO."""
        route = self.catalog.route(template)
        if exclusion.scope is Scope.ROUTE:
            return template == exclusion.name
        return exclusion.scope is Scope.SERVICE and route is not None and route.service.service == exclusion.name

    def _forget(self, now: Instant) -> None:
        reach = max((level.span + level.resolution for level in self.rings.rings["budget"].layout), default=0)
        self.rings.aside.forget(now - reach)
        gone = [each.id for each in self._over(now) if not any(p.exclusion == each.id for p in self.rings.aside.pieces)]
        for name in gone:
            del self.known[name]
            self.version += 1

    def _over(self, now: Instant) -> Iterator[Exclusion]:
        keep = self.catalog.settings.keep
        return (each for each in self.known.values() if each.counted_to is not None and each.counted_to + keep < now)
