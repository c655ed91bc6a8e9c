"""Rings: what their edges say, and what they refuse."""

from fractions import Fraction

import numpy as np
import pytest

from figwatch_agent.durations import DAY, MINUTE
from figwatch_agent.evaluate.layouts import DEFAULT, Layout, Level, reaching
from figwatch_agent.evaluate.ring import Ring, Row, at_home
from figwatch_agent.evaluate.slots import UNSET, Block
from figwatch_agent.evaluate.windows import Window, highest_ratio, lowest_ratio

LAYOUT = (Level(resolution=10, span=100),)


def ring(*ticks: tuple[int, int]) -> Ring:
    made = Ring(LAYOUT, 1)
    for at, count in ticks:
        made.advance(at, np.array([count]))
    return made


def window(inside: int, edge: int) -> Window:
    return Window(np.array([inside]), np.array([edge]))


def test_a_ring_without_ticks_is_empty() -> None:
    assert Ring(LAYOUT, 2).window(50).most.tolist() == [0, 0]


def test_a_window_that_starts_on_a_boundary_has_no_edge() -> None:
    seen = ring((100, 1), (110, 2), (120, 4)).window(10)
    assert (seen.inside.tolist(), seen.edge.tolist()) == ([4], [0])


def test_the_slot_that_is_cut_is_handed_out_apart() -> None:
    seen = ring((100, 1), (115, 2), (122, 4)).window(10)
    assert (seen.inside.tolist(), seen.edge.tolist()) == ([4], [2])


def test_an_event_at_the_very_start_of_a_window_lies_outside() -> None:
    assert ring((100, 7), (110, 2)).window(10).most.tolist() == [2]


def test_a_gap_longer_than_the_ring_empties_it() -> None:
    assert ring((100, 7), (1_000, 2)).window(100).most.tolist() == [2]


def test_the_first_tick_writes_the_boundary_that_it_falls_on_and_none_before() -> None:
    assert [row.boundary for row in Ring(LAYOUT, 1).advance(100, np.array([1]))] == [100]
    assert Ring(LAYOUT, 1).advance(101, np.array([1])) == []


@pytest.mark.parametrize("again", [99, 100])
def test_time_never_goes_back_or_stands_still(again: int) -> None:
    with pytest.raises(ValueError, match="ticks go forward"):
        ring((100, 1)).advance(again, np.array([1]))


def test_the_future_cannot_be_amended() -> None:
    with pytest.raises(ValueError, match="only past events"):
        ring((100, 1)).amend(101, np.array([1]))


def test_an_amended_event_counts_where_it_happened() -> None:
    made = ring((100, 1), (110, 0), (120, 0), (130, 0))
    made.amend(115, np.array([5]))
    assert made.window(10).most.tolist() == [0]
    assert made.window(20).most.tolist() == [5]


def test_a_window_is_read_from_the_finest_level_that_spans_it() -> None:
    fine, coarse = LAYOUT[0], Level(resolution=40, span=400)
    made = Ring((fine, coarse), 1)
    assert [made.level_of(length) for length in (10, 100, 101, 400)] == [fine, fine, coarse, coarse]
    assert made.level_of(401) == coarse  # the longest there is


def test_a_layout_is_stretched_only_as_far_as_it_must() -> None:
    assert reaching(DEFAULT, 30 * DAY) == DEFAULT
    assert reaching(DEFAULT, 90 * DAY) == (*DEFAULT[:-1], Level(resolution=30 * MINUTE, span=90 * DAY))


def test_the_low_words_of_a_place_are_those_of_its_slot_whichever_it_is() -> None:
    made = ring(*((at, 1) for at in range(120, 250, 10)))  # its twelve slots: 120 and 240 have the first
    for length in (0, 10, 50, 100):
        below = made.edge(length).below
        assert made.low(below).tolist() == made.counted_at(np.array([240 - length])).tolist()[0]
    assert made.edge(0).below.slot == 0
    cut = ring((100, 1), (105, 2)).edge(1)
    assert ring((100, 1), (105, 2)).low(cut.above).tolist() == [3]  # no boundary since: what is counted by now


@pytest.mark.parametrize(
    ("bad", "total", "low", "high"),
    [
        ((1, 0), (10, 0), Fraction(1, 10), Fraction(1, 10)),
        ((1, 2), (10, 5), Fraction(1, 13), Fraction(3, 12)),  # bad ones outside and good ones inside, and the reverse
        ((0, 0), (0, 0), None, None),
        ((0, 0), (0, 3), Fraction(0), None),  # only good events, and perhaps none of them inside
        ((0, 3), (0, 3), None, Fraction(1)),
        ((1, 0), (1, 0), Fraction(1), Fraction(1)),  # a single event is an event
        ((0, 0), (0, 1), Fraction(0), None),
        ((0, 1), (0, 1), None, Fraction(1)),
        ((-2, 0), (10, 0), Fraction(-1, 5), Fraction(-1, 5)),  # more good than all: shown, not clipped
    ],
)
def test_bounds_of_a_ratio(
    bad: tuple[int, int], total: tuple[int, int], low: Fraction | None, high: Fraction | None
) -> None:
    assert lowest_ratio(window(*bad), window(*total), 0) == low
    assert highest_ratio(window(*bad), window(*total), 0) == high


def test_before_the_first_tick_nothing_was_counted_at_any_instant() -> None:
    assert Ring(LAYOUT, 3).counted_at(np.array([10, 20]), slice(1, 3)).tolist() == [[0, 0], [0, 0]]
    assert ring((100, 7)).counted_at(np.array([], dtype=np.int64)).shape == (0, 1)


def test_the_oldest_boundary_that_is_kept_can_still_be_asked_for() -> None:
    made = Ring((*LAYOUT, Level(resolution=40, span=400)), 1)
    for at in range(100, 310, 10):
        made.advance(at, np.array([1]))
    oldest = 300 - (LAYOUT[0].slots - 1) * 10  # 190: the level above has no boundary there
    assert made.counted_at(np.array([oldest])).tolist() == [[10]]
    with pytest.raises(ValueError, match="no level of the ring"):
        made.counted_at(np.array([oldest - 10]))
    made.advance(305, np.array([1]))
    assert made.counted_at(np.array([oldest])).tolist() == [[10]]


def test_at_an_instant_that_lies_ahead_is_counted_what_is_counted_by_now() -> None:
    assert ring((1_000, 1), (1_015, 2)).counted_at(np.array([1_020, 1_100])).tolist() == [[3], [3]]


def kept_by(source: Ring) -> list[Row]:
    """Every boundary that a ring of LAYOUT holds."""
    return [row for slot in range(LAYOUT[0].slots) if (row := source.row(0, slot)).boundary >= 0]


def restored(layout: Layout, source: Ring, *, began: int | None = None, blocks: bool = False) -> Ring:
    """A ring of this layout in the place of one with LAYOUT, which hands over what it kept as rows or as a block."""
    rows, made = kept_by(source), Ring(layout, 1)
    block = Block(
        level=0,
        boundaries=np.array([row.boundary for row in rows]),
        words=np.array([row.values for row in rows], dtype=np.uint32),
    )
    made.restore(source.at, source.current, source.origin, [] if blocks else rows, (block,) if blocks else (), began)
    return made


def test_a_finer_layout_knows_what_was_counted_at_the_boundaries_that_a_coarser_one_kept() -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 5)))
    made = restored((Level(resolution=5, span=100), Level(resolution=20, span=200)), kept)
    assert made.counted_at(np.array([290, 300])).tolist() == kept.counted_at(np.array([290, 300])).tolist()
    # 295 was not kept: what had been counted at the last boundary before it, and a window from there says it is unsure.
    assert made.counted_at(np.array([295])).tolist() == kept.counted_at(np.array([290])).tolist()
    assert made.counted_at(np.array([305])).tolist() == kept.counted_at(np.array([300])).tolist()
    seen = made.window(300 - 295 + 5)
    assert (seen.inside.tolist(), seen.edge.tolist()) == ([1], [2])


def test_a_window_from_the_last_boundary_that_is_missing_is_as_wide_as_the_gap() -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 5)))  # until 305, which the ring with steps of ten did not keep
    made = restored((Level(resolution=5, span=100),), kept)
    made.advance(310, np.array([4]))
    seen = made.window(5)
    assert (seen.inside.tolist(), seen.edge.tolist()) == ([0], [1 + 4])


@pytest.mark.parametrize(("span", "began", "unbroken"), [(80, 100, True), (100, 100, False), (100, 181, True)])
def test_a_ring_is_unbroken_where_it_has_every_boundary_since_it_began(span: int, began: int, unbroken: bool) -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 10)))  # it holds 190 to 300
    assert restored((Level(resolution=20, span=span),), kept, began=began).unbroken is unbroken
    assert restored((Level(resolution=20, span=span),), kept).unbroken  # as far as it knows, it began with the oldest


def test_a_coarser_layout_takes_the_boundaries_that_it_has() -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 10)))
    made = restored((Level(resolution=20, span=100),), kept)
    for boundary in (200, 220, 280, 300):
        assert made.counted_at(np.array([boundary])).tolist() == kept.counted_at(np.array([boundary])).tolist()


def test_a_longer_layout_knows_that_it_lacks_what_a_shorter_one_let_go_of() -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 10)))
    made = restored((Level(resolution=10, span=180),), kept, began=100)
    seen = made.window(150)  # from 150, of which nothing is known but that it lies between 100 and 190
    assert (seen.inside.tolist(), seen.edge.tolist()) == ([11], [10])


def test_of_a_boundary_at_which_a_ring_began_and_that_is_missing_nothing_is_known_but_that_all_came_by_then() -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 10)))
    made = restored((Level(resolution=10, span=210),), kept, began=100)
    from_then, from_before = made.window(200), made.window(205)
    assert (from_then.inside.tolist(), from_then.edge.tolist()) == ([11], [10])  # the event at 100 lies outside
    assert made.cut(200) == 1
    assert (from_before.inside.tolist(), from_before.edge.tolist()) == ([21], [0])


def test_a_ring_that_lacks_only_the_boundary_at_which_it_began_is_not_sure_of_it() -> None:
    kept = ring(*((at, 1) for at in range(190, 310, 10)))
    made = Ring(LAYOUT, 1)
    rows = [row for row in kept_by(kept) if row.boundary > 190]
    made.restore(kept.at, kept.current, kept.origin, rows, (), 190)
    assert not made.unbroken
    made.advance(301, np.array([0]))
    made.advance(302, np.array([0]))
    seen = made.window(302 - 190)  # longer than the layout spans, but its slots reach there
    assert seen.inside.tolist() != [12]
    assert seen.most.tolist() == [12]


def test_after_a_long_silence_a_window_that_no_boundary_divides_has_its_oldest_one() -> None:
    made = Ring((Level(resolution=10, span=95),), 1)
    made.advance(103, np.array([1]))
    made.advance(1003, np.array([5]))
    seen = made.window(95)  # from 908, between the boundaries 900 and 910
    assert (seen.inside.tolist(), seen.edge.tolist()) == ([5], [0])


def test_a_ring_that_never_ticked_is_handed_on_and_begins_later() -> None:
    made = Ring(LAYOUT, 1)
    made.restore(None, np.array([0]), np.array([0]), [])
    assert made.unbroken
    made.advance(100, np.array([3]))
    assert made.window(50).most.tolist() == [3]


def test_what_a_block_says_of_a_boundary_counts_whatever_a_row_says() -> None:
    kept, made = ring(*((at, 1) for at in range(100, 310, 10))), Ring(LAYOUT, 1)
    block = Block(level=0, boundaries=np.array([280]), words=np.array([[19]], dtype=np.uint32))
    stale = Row(level=7, slot=3, boundary=280, values=np.array([5]))
    made.restore(kept.at, kept.current, kept.origin, [stale], (block,), 100)
    assert made.counted_at(np.array([280])).tolist() == [[19]]


@pytest.mark.parametrize(
    ("count", "boundary", "slot", "home"),
    [
        (12, 300, 6, True),
        (12, 300, 5, False),
        (12, 305, 6, False),
        (12, 180, 6, True),
        (None, 300, 5, True),
        (None, 305, 6, False),
    ],
)
def test_a_boundary_is_at_home_where_its_level_would_write_it(
    count: int | None, boundary: int, slot: int, home: bool
) -> None:
    assert at_home(10, count, np.array([boundary]), np.array([slot])).tolist() == [home]


@pytest.mark.parametrize("count", [5, None])
def test_a_slot_that_holds_nothing_is_no_boundary(count: int | None) -> None:
    assert at_home(1, count, np.array([UNSET]), np.array([4])).tolist() == [False]


@pytest.mark.parametrize("blocks", [False, True])
def test_a_ring_of_the_same_layout_stands_where_the_other_stood(*, blocks: bool) -> None:
    kept = ring(*((at, 1) for at in range(100, 310, 10)))
    made = restored(LAYOUT, kept, blocks=blocks)
    for length in (10, 15, 50, 95, 100):
        assert made.window(length).inside.tolist() == kept.window(length).inside.tolist()
        assert made.window(length).edge.tolist() == kept.window(length).edge.tolist()
