"""What a file may ask for can be judged: the two places that know how targets are written agree."""

from hypothesis import assume, given
from hypothesis import strategies as st

from figwatch_agent.evaluate.criteria import parse_target
from figwatch_agent.files.targets import FORMS, target_problem
from figwatch_agent.model.names import Measure


@given(st.data(), st.sampled_from(list(Measure)))
def test_every_target_that_a_file_may_hold_can_be_judged(data: st.DataObject, measure: Measure) -> None:
    target = data.draw(st.from_regex(FORMS[measure][0], fullmatch=True))
    assume(target_problem(measure, target) is None)
    assert parse_target(target).text == target
