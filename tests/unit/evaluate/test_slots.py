"""How a level of a ring keeps its counts."""

import numpy as np

from figwatch_agent.evaluate.slots import UNSET, Block, Slots


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


def test_of_two_boundaries_for_one_slot_the_newer_is_loaded() -> None:
    slots = Slots(4, 1)
    slots.load(Block(0, np.array([10, 50, 20]), np.array([[1], [5], [2]], dtype=np.uint32)), 10)
    assert slots.boundaries.tolist() == [UNSET, 50, 20, UNSET]
    assert [slots.row(1).tolist(), slots.row(2).tolist()] == [[5], [2]]


def test_slots_are_filled_round_the_end() -> None:
    slots = Slots(4, 1)
    slots.fill(2, 3, 20, 10, np.array([7]))
    assert slots.boundaries.tolist() == [40, -1, 20, 30]
    assert slots.rows(np.array([0, 2, 3]), slice(0, 1))[:, 0].tolist() == [7, 7, 7]


def test_columns_may_be_chosen_one_by_one_and_in_any_order() -> None:
    slots = Slots(3, 3)
    slots.widen(np.array([1, 2**33, 3]))
    for slot in range(3):
        slots.put(slot, slot * 10, np.array([slot, 2**33 + slot, 7]))
    assert slots.rows(np.array([2, 0]), np.array([2, 1])).tolist() == [[7, 2**33 + 2], [7, 2**33]]
    assert slots.row(1, np.array([1, 0])).tolist() == [2**33 + 1, 1]
    assert slots.rows(np.array([1, 2]), np.array([0, 0, 2])).tolist() == [[1, 1, 7], [2, 2, 7]]


def test_of_several_wide_columns_the_right_one_is_appended() -> None:
    """The one appended last keeps its high word where it now stands, not where it came from."""
    slots = Slots(2, 3)
    slots.widen(np.array([1, 2**33, 2**34]))
    slots.put(0, 10, np.array([1, 2**33, 2**34]))
    slots.append(np.array([0, 2, 1]))
    assert slots.row(0).tolist() == [1, 2**33, 2**34, 1, 2**34, 2**33]
    slots.put(1, 20, np.array([1, 2**33, 2**34, 2, 2**35, 2**36]))
    assert slots.row(1).tolist() == [1, 2**33, 2**34, 2, 2**35, 2**36]
