"""What exclusions leave out of one stream's window, each by its name: with what is left it is all that was counted."""

from collections.abc import Mapping

from figwatch_agent.durations import Duration
from figwatch_agent.engine.measuring import Rings
from figwatch_agent.evaluate.excluded import set_aside, time_in
from figwatch_agent.model.exclusion import Exclusion
from figwatch_agent.model.explanation import LeftOut
from figwatch_agent.model.view import Counts


def left_out(rings: Rings, known: Mapping[str, Exclusion], stream: int, length: Duration) -> tuple[LeftOut, ...]:
    """By exclusion, in the order of their declaration; none that leaves out neither time nor events."""
    ring, current, found = rings.rings["budget"], rings.current("budget"), dict[str, list[int]]()
    if ring.at is None or not rings.aside.pieces:
        return ()
    whole, (below, above) = ring.window(length), ring.around(length)
    columns = [len(rings.catalog.streams) + stream, stream]  # bad, total
    for piece in rings.aside.pieces:
        if stream not in piece.streams:
            continue
        parts = [piece.parts["budget"]] if "budget" in piece.parts else []
        most = set_aside(parts, below, current - whole.most, current)[columns]
        inside = set_aside(parts, above, current - whole.inside, current)[columns]
        lasted = time_in(piece.after, piece.until, ring.at - length, ring.at)
        sums = found.setdefault(piece.exclusion, [0] * 5)
        for place, more in enumerate([lasted, *inside.tolist(), *(most - inside).tolist()]):
            sums[place] += more
    return tuple(
        LeftOut(
            exclusion=name,
            who=exclusion.who,
            why=exclusion.why,
            lasted=found[name][0],
            inside=Counts(bad=found[name][1], total=found[name][2]),
            edge=Counts(bad=found[name][3], total=found[name][4]),
        )
        for name, exclusion in known.items()
        if any(found.get(name, ()))
    )
