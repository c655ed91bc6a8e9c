"""When a question is asked next."""

from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.sources.prober import next_due


@given(due=st.integers(0, 10**12), interval=st.integers(1, 10**7), late=st.integers(0, 10**8))
def test_the_next_beat_is_in_the_future_on_the_beat_and_not_later_than_it_must_be(
    due: int, interval: int, late: int
) -> None:
    now = due + late
    following = next_due(due, interval, now)

    assert now < following <= now + interval
    assert (following - due) % interval == 0
