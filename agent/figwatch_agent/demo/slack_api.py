"""Slack's Web API, as far as chat.postMessage and chat.update go: one workspace in memory.

Answers are Slack's: 200 and ``ok`` with ``channel`` and ``ts``, or 200 and ``{"ok": false, "error": WORD}``.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from figwatch_agent.demo import slack_hook

TEXT_LIMIT: Final = 40_000
"""Characters of ``text``; beyond them Slack cuts."""

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as it stands in its channel."""

    channel: str
    ts: str
    text: str
    body: str  # the last request that made it so
    at: int  # posted, milliseconds since the epoch
    thread_ts: str | None = None
    broadcast: bool = False
    edits: int = 0

    def as_json(self) -> dict[str, object]:
        """The message in the document of the pager."""
        return {
            "receiver": "slack_api",
            "key": f"{self.channel}/{self.ts}",
            "summary": self.text,
            "state": "message",
            "at": self.at,
            "thread": None if self.thread_ts is None else f"{self.channel}/{self.thread_ts}",
            "broadcast": self.broadcast,
            "edits": self.edits,
        }


class Workspace:
    """Every message, in order. A token is any that begins like a bot's; a channel any whose id begins with C or G."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._posted = 0

    def call(self, method: str, authorization: str, raw: str, now: int) -> dict[str, object]:
        """Slack's answer to one call at ``now`` (milliseconds)."""
        if not authorization.startswith("Bearer "):
            return _refused("not_authed")
        if not authorization.removeprefix("Bearer ").startswith("xoxb-"):
            return _refused("invalid_auth")
        arguments = _object(raw)
        if arguments is None:
            return _refused("invalid_arguments")
        channel = arguments.get("channel")
        if not isinstance(channel, str) or channel[:1] not in ("C", "G"):
            return _refused("channel_not_found")
        refused = slack_hook.refused_content(arguments)
        if refused:
            return _refused(refused)
        if method == "chat.postMessage":
            return self._post(channel, arguments, raw, now)
        return self._update(channel, arguments, raw) if method == "chat.update" else _refused("unknown_method")

    def delete(self, ts: str) -> None:
        """A person deletes a message."""
        self.messages = [message for message in self.messages if message.ts != ts]

    def _post(self, channel: str, arguments: Json, raw: str, now: int) -> dict[str, object]:
        thread = arguments.get("thread_ts")
        if thread is not None and self._find(channel, thread) is None:
            return _refused("thread_not_found")
        self._posted += 1
        message = Message(
            channel=channel,
            ts=f"{now // 1000}.{self._posted:06d}",
            text=slack_hook.text_of(raw)[:TEXT_LIMIT],
            body=raw,
            at=now,
            thread_ts=None if thread is None else str(thread),
            broadcast=thread is not None and arguments.get("reply_broadcast") is True,
        )
        self.messages.append(message)
        return {"ok": True, "channel": channel, "ts": message.ts, "message": {"text": message.text, "ts": message.ts}}

    def _update(self, channel: str, arguments: Json, raw: str) -> dict[str, object]:
        place = self._find(channel, arguments.get("ts"))
        if place is None:
            return _refused("message_not_found")
        before = self.messages[place]
        text = slack_hook.text_of(raw)[:TEXT_LIMIT]
        self.messages[place] = replace(before, text=text, body=raw, edits=before.edits + 1)
        return {"ok": True, "channel": channel, "ts": before.ts, "text": text}

    def _find(self, channel: str, ts: object) -> int | None:
        for place, message in enumerate(self.messages):
            if (message.channel, message.ts) == (channel, ts):
                return place
        return None


def _object(raw: str) -> Json | None:
    try:
        document = json.loads(raw)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _refused(word: str) -> dict[str, object]:
    return {"ok": False, "error": word}
