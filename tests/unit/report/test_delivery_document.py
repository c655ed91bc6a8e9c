"""A delivery as the HTTP API shows it."""

import pytest

from figwatch_agent.model.effect import DeliveryState
from figwatch_agent.model.journal import Delivery
from figwatch_agent.report.records import delivery_document
from support.model_values import NOON, a_row


@pytest.mark.parametrize(
    ("kept", "shown"), [("C0123ABCD/1795348801.000100", "C0123ABCD/1795348801.000100"), ("", None)]
)
def test_what_the_receiver_calls_the_message_is_shown_where_it_is_known(kept: str, shown: str | None) -> None:
    delivery = Delivery(
        row=a_row(), state=DeliveryState.ACCEPTED, attempts=1, created_at=NOON, next_at=0, message_id=kept
    )
    assert delivery_document(delivery)["message_id"] == shown
