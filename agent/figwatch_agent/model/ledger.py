"""Changes to cells of the ledger that lie in the past: events that were told late, and events that were set aside.

Both name increments, not counts: whoever keeps the cells works out what they come to, by the one rule of this file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from figwatch_agent.durations import Instant
from figwatch_agent.model.outcome import LedgerAside, LedgerEntry, Outcome

Key = tuple[Instant, str, str, str, str, str]


def key_of(entry: LedgerEntry) -> Key:
    """What is counted in one cell."""
    return entry.interval, entry.slo, entry.route, entry.side, entry.incident, entry.exclusion


def settle(cells: dict[Key, LedgerEntry], outcome: Outcome) -> None:
    """Carry out an Outcome on all cells that there are."""
    cells.update({key_of(entry): entry for entry in outcome.ledger})
    added(cells, outcome.ledger_late)
    for aside in outcome.ledger_aside:
        added(cells, moved([entry for entry in cells.values() if is_spent(entry, aside)], aside))


def is_spent(entry: LedgerEntry, aside: LedgerAside) -> bool:
    """Whether events of this cell may be among those that are set aside."""
    named = entry.slo == aside.slo and entry.route == aside.route and not entry.exclusion
    return named and aside.start <= entry.interval < aside.end


def added(cells: dict[Key, LedgerEntry], more: Iterable[LedgerEntry]) -> list[LedgerEntry]:
    """Add increments to their cells; gives the cells that changed, whole."""
    changed: dict[Key, LedgerEntry] = {}
    for each in more:
        key = key_of(each)
        before = cells.get(key)
        counted = each if before is None else replace(each, bad=before.bad + each.bad, total=before.total + each.total)
        cells[key] = changed[key] = counted
    return list(changed.values())


def moved(spent: Sequence[LedgerEntry], aside: LedgerAside) -> list[LedgerEntry]:
    """Increments, negative ones first, that set events of the cells ``spent`` aside.

    Where all of them are set aside they move as they are. Where a part of them is, nobody knows which side and incident
    its events had, and they are taken from the cells in proportion (largest remainder, ties by the cell's name): the
    parts sum to the whole.
    """
    ordered = sorted(spent, key=key_of)
    bad = _shares(aside.bad, [entry.bad for entry in ordered])
    good = _shares(aside.total - aside.bad, [entry.total - entry.bad for entry in ordered])
    out: list[LedgerEntry] = []
    into: list[LedgerEntry] = []
    for entry, mine, well in zip(ordered, bad, good, strict=True):
        if mine or well:
            out.append(replace(entry, bad=-mine, total=-mine - well))
            into.append(replace(entry, bad=mine, total=mine + well, exclusion=aside.exclusion))
    return out + into


def _shares(many: int, parts: Sequence[int]) -> list[int]:
    """``many`` in proportion to the parts, whole numbers that sum to it; as the parts are where that is all of them."""
    if not parts:
        return []
    whole = sum(parts)
    if many == whole:
        return list(parts)
    if whole <= 0 or min(parts) < 0:  # a source may count more good events than events: then nothing is in proportion
        return [many, *([0] * (len(parts) - 1))]
    shares = [many * part // whole for part in parts]
    order = sorted(range(len(parts)), key=lambda place: (-(many * parts[place] % whole), place))
    for place in order[: many - sum(shares)]:
        shares[place] += 1
    return shares
