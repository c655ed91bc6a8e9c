"""How a level of a ring keeps its counts."""

import numpy as np

from figwatch_agent.evaluate.slots import Slots


def test_a_count_takes_one_word_until_it_leaves_32_bits() -> None:
    slots = Slots(10, 4)
    slots.put(0, 10, np.array([1, 2, 3, 2**32 - 1]))
    before = slots.nbytes
    slots.widen(np.array([1, 2**32, 3, 2**32 - 1]))
    slots.put(1, 20, np.array([1, 2**32, 3, 2**32 - 1]))
    assert slots.nbytes - before == 10 * 4 + 8
    assert slots.row(0).tolist() == [1, 2, 3, 2**32 - 1]
    assert slots.row(1).tolist() == [1, 2**32, 3, 2**32 - 1]


def test_counts_below_zero_are_kept_as_they_are() -> None:
    slots = Slots(2, 2)
    slots.widen(np.array([-1, 5]))
    slots.put(0, 10, np.array([-1, 5]))
    slots.put(1, 20, np.array([-(2**40), 5]))
    assert slots.rows(np.array([1, 0]), slice(0, 2)).tolist() == [[-(2**40), 5], [-1, 5]]


def test_a_column_that_is_appended_has_the_past_of_another() -> None:
    slots = Slots(2, 2)
    slots.widen(np.array([2**33, 5]))
    slots.put(0, 10, np.array([2**33, 5]))
    slots.append(np.array([0, 1]))
    slots.put(1, 20, np.array([2**33, 5, 2**34, 7]))
    assert slots.row(0).tolist() == [2**33, 5, 2**33, 5]
    assert slots.row(1).tolist() == [2**33, 5, 2**34, 7]
    assert slots.rows(np.array([0, 1]), slice(2, 4)).tolist() == [[2**33, 5], [2**34, 7]]


def test_slots_are_filled_round_the_end() -> None:
    slots = Slots(4, 1)
    slots.fill(2, 3, 20, 10, np.array([7]))
    assert slots.boundaries.tolist() == [40, -1, 20, 30]
    assert slots.rows(np.array([0, 2, 3]), slice(0, 1))[:, 0].tolist() == [7, 7, 7]
