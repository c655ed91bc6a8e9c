"""Whatever stands where a target belongs is read or refused, and a target is read as it is meant."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figwatch_agent.files.targets import target_problem
from figwatch_agent.model.names import Measure
from figwatch_agent.model.target import Form, TargetError, Unit, parse_target

NEARLY = st.from_regex(r"(<=?|>=?|x|\+|-|kept|up)? {0,2}[0-9]{0,12}(\.[0-9]{0,12})?(%|ms|s|m|h|d|w)?", fullmatch=True)


@given(st.sampled_from(list(Measure)), st.one_of(st.text(max_size=60), NEARLY))
def test_a_file_takes_no_text_that_cannot_be_judged(measure: Measure, text: str) -> None:
    try:
        parse_target(text)
    except TargetError:
        assert target_problem(measure, text) is not None


@given(
    st.sampled_from(["<", "<=", ">", ">="]), st.sampled_from(["", " "]), st.decimals(0, 10**6, places=3), st.booleans()
)
def test_a_limit_is_read_to_the_last_digit(sign: str, blank: str, number: object, percent: bool) -> None:
    target = parse_target(f"{sign}{blank}{number}{'%' if percent else ''}")
    value = Fraction(str(number)) / (100 if percent else 1)
    assert (target.form, target.unit, target.value) == (Form(sign), Unit.RATIO if percent else Unit.NUMBER, value)


@pytest.mark.parametrize("measure", list(Measure))
def test_every_measure_refuses_a_number_without_a_sign(measure: Measure) -> None:
    assert target_problem(measure, "5") is not None
