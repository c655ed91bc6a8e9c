"""The words with which Slack's Web API refuses, and what each says about trying again.

Slack answers 200 and ``{"ok": false, "error": WORD}``. The words are those that Slack documents for chat.postMessage
and chat.update and for every method; each stands in exactly one of the sets.
"""

from typing import Final

from figwatch_agent.durations import Duration
from figwatch_agent.model.journal import DeliveryResult, DeliveryResultKind
from figwatch_agent.notify.reasons import DeliveryReason

SLOW_DOWN: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
"""Too much was sent; later it is taken."""

PASSING: Final = frozenset(
    {
        "service_unavailable",
        "request_timeout",  # the body was missing or cut off
        "team_added_to_org",  # a workspace is being moved
        "org_login_required",
        "external_channel_migrating",
        "update_failed",
    }
)
"""Slack is in trouble or busy with itself; certainly nothing was posted."""

UNSURE: Final = frozenset({"fatal_error", "internal_error"})
"""Slack says of these that part of the request may have succeeded."""

CREDENTIALS: Final = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "access_denied",
        "accesslimited",  # not from this network
        "ekm_access_denied",
        "enterprise_is_restricted",
        "team_access_not_granted",
        "team_not_found",
        "two_factor_setup_required",
    }
)
"""The token does not do. A person can put that right in Slack or in the secret, without a restart."""

CHANNEL: Final = frozenset(
    {
        "channel_not_found",  # also said of private channels that the bot is not in
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "messages_tab_disabled",
    }
)
"""The channel does not take it. A person can invite the bot or change the channel."""

THREAD: Final = frozenset(
    {
        "cannot_reply_to_message",
        "message_not_found",
        "thread_not_found",
        "restricted_action_thread_locked",
        "restricted_action_non_threadable_channel",
    }
)
"""The thread does not take it, or its first message is gone: the message then stands for itself."""

FORM: Final = frozenset(
    {
        "invalid_arguments",  # Slack: more likely when using complex arguments like blocks
        "invalid_attachments",
        "attachment_payload_limit_exceeded",
        "too_many_attachments",
        "invalid_blocks",
        "invalid_blocks_format",
        "block_mismatch",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
"""The look of the message was refused: its bare words may still be taken."""

CALL: Final = frozenset(
    {
        "as_user_not_supported",
        "cant_broadcast_message",
        "cant_update_message",
        "deprecated_endpoint",
        "duplicate_channel_not_found",
        "duplicate_message_not_found",
        "edit_window_closed",
        "invalid_arg_name",
        "invalid_array_arg",
        "invalid_charset",
        "invalid_form_data",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "invalid_post_type",
        "markdown_text_conflict",
        "metadata_must_be_sent_from_app",
        "metadata_too_large",
        "method_deprecated",
        "missing_file_data",
        "missing_post_type",
        "no_dual_broadcast_content_update",
        "slack_connect_canvas_sharing_blocked",
        "slack_connect_file_link_sharing_blocked",
        "slack_connect_lists_sharing_blocked",
        "streaming_state_conflict",
        "too_many_contact_cards",
    }
)
"""The call itself is wrong, or a matter of features that figwatch does not use: the same again will not do."""

_RETRY, _REFUSED = DeliveryResultKind.RETRY, DeliveryResultKind.REFUSED

MEANINGS: Final[tuple[tuple[frozenset[str], DeliveryResultKind, DeliveryReason], ...]] = (
    (SLOW_DOWN, _RETRY, DeliveryReason.RATE_LIMITED),
    (PASSING, _RETRY, DeliveryReason.SERVER_ERROR),
    (UNSURE, DeliveryResultKind.UNCONFIRMED, DeliveryReason.SERVER_ERROR),
    (CREDENTIALS, _REFUSED, DeliveryReason.UNAUTHORIZED),
    (CHANNEL, _REFUSED, DeliveryReason.CHANNEL_CLOSED),
    (THREAD | FORM | CALL, _REFUSED, DeliveryReason.REJECTED),
)


def of_word(word: str, detail: str, retry_after: Duration | None) -> DeliveryResult:
    """The result for a refusal. A word that nobody documented goes to the fallback, and without one is tried on."""
    for words, kind, reason in MEANINGS:
        if word in words:
            wanted = retry_after if kind is _RETRY else None
            return DeliveryResult(kind=kind, reason=reason.value, detail=detail, retry_after=wanted)
    return DeliveryResult(kind=_REFUSED, reason=DeliveryReason.ODD_ANSWER.value, detail=detail)
