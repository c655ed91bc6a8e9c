"""Slack's words: each has one meaning."""

from itertools import combinations

import pytest

from figwatch_agent.durations import SECOND
from figwatch_agent.model.journal import DeliveryResultKind
from figwatch_agent.notify import slack_errors
from figwatch_agent.notify.reasons import CURABLE, DeliveryReason
from figwatch_agent.notify.slack_errors import MEANINGS, of_word

SETS = {
    name: value for name, value in vars(slack_errors).items() if isinstance(value, frozenset) and name != "MEANINGS"
}
_WORDS = """
account_inactive access_denied accesslimited as_user_not_supported attachment_payload_limit_exceeded block_mismatch
cannot_reply_to_message cant_broadcast_message cant_update_message channel_not_found deprecated_endpoint
duplicate_channel_not_found duplicate_message_not_found edit_window_closed ekm_access_denied enterprise_is_restricted
external_channel_migrating fatal_error internal_error invalid_arg_name invalid_arguments invalid_array_arg
invalid_attachments invalid_auth invalid_blocks invalid_blocks_format invalid_charset invalid_form_data
invalid_metadata_format invalid_metadata_schema invalid_post_type is_archived is_inactive markdown_text_conflict
message_limit_exceeded message_not_found messages_tab_disabled metadata_must_be_sent_from_app metadata_too_large
method_deprecated missing_file_data missing_post_type missing_scope msg_blocks_too_long msg_too_long no_permission
no_dual_broadcast_content_update no_text not_allowed_token_type not_authed not_in_channel org_login_required
rate_limited ratelimited request_timeout restricted_action restricted_action_non_threadable_channel
restricted_action_read_only_channel restricted_action_thread_locked restricted_action_thread_only_channel
service_unavailable slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked
slack_connect_lists_sharing_blocked streaming_state_conflict team_access_not_granted team_added_to_org team_not_found
token_expired token_revoked too_many_attachments too_many_contact_cards two_factor_setup_required update_failed
"""
DOCUMENTED = _WORDS.split()
"""Errors of chat.postMessage and chat.update as Slack documents them, those about drafts left out."""


@pytest.mark.parametrize("word", DOCUMENTED)
def test_every_documented_word_has_a_meaning(word: str) -> None:
    assert of_word(word, "", None).reason != DeliveryReason.ODD_ANSWER.value


def test_no_word_has_two_meanings() -> None:
    assert [(one, other) for one, other in combinations(SETS, 2) if SETS[one] & SETS[other]] == []
    assert frozenset().union(*SETS.values()) == frozenset().union(*(words for words, _, _ in MEANINGS))


def test_a_word_that_nobody_documented_is_tried_on_where_nobody_else_can_be_told() -> None:
    result = of_word("a_word_of_tomorrow", "", None)
    assert result.kind is DeliveryResultKind.REFUSED
    assert DeliveryReason(result.reason) in CURABLE


@pytest.mark.parametrize("word", sorted(slack_errors.CREDENTIALS | slack_errors.CHANNEL))
def test_what_a_person_can_put_right_in_slack_is_curable(word: str) -> None:
    assert DeliveryReason(of_word(word, "", None).reason) in CURABLE


def test_a_wait_is_kept_only_where_trying_again_can_help() -> None:
    assert of_word("ratelimited", "", 3 * SECOND).retry_after == 3 * SECOND
    assert of_word("invalid_auth", "", 3 * SECOND).retry_after is None
