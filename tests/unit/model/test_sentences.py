"""Every closed word that reaches a message has a sentence."""

from collections.abc import Mapping
from enum import StrEnum

import pytest

from figwatch_agent.model.decision import Reason
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.sentences import SYMPTOM, WHY


@pytest.mark.parametrize(("words", "said"), [(Reason, WHY), (AlertName, SYMPTOM)])
def test_every_word_has_a_clause_that_can_stand_inside_a_sentence(
    words: type[StrEnum], said: Mapping[StrEnum, str]
) -> None:
    assert list(said) == list(words), "all of them, in their order"
    for clause in said.values():
        assert clause[0].islower()
        assert clause[-1] != "."
        assert "_" not in clause
        assert len(clause) <= 60, "a first line has little room"


def test_no_two_words_say_the_same() -> None:
    for said in (WHY, SYMPTOM):
        assert len(set(said.values())) == len(said)
