"""From a receiver's settings to the part that speaks to it."""

import aiohttp

from figwatch_agent.clock import Clock
from figwatch_agent.model.settings import PagerDuty, Receiver, Slack
from figwatch_agent.notify.pagerduty import PagerDutyNotifier
from figwatch_agent.notify.secrecy import ReadSecret
from figwatch_agent.notify.slack import SlackNotifier
from figwatch_agent.notify.webhook import WebhookNotifier
from figwatch_agent.ports import Notifier


def notifier_for(receiver: Receiver, session: aiohttp.ClientSession, read_secret: ReadSecret, clock: Clock) -> Notifier:
    """The notifier of ``receiver``. It reads secrets when it sends, so that a rotated key works at once."""
    kind = receiver.kind
    if isinstance(kind, PagerDuty):
        return PagerDutyNotifier(kind, session, read_secret, clock)
    if isinstance(kind, Slack):
        return SlackNotifier(kind, session, read_secret, clock)
    return WebhookNotifier(kind, session, read_secret, clock)


def open_session() -> aiohttp.ClientSession:
    """A session for all receivers: each request on a connection of its own.

    On a kept connection that the other side just closed, a request fails in a way that looks as if it might have
    arrived; pages are too few for reuse to be worth that doubt.
    """
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True), cookie_jar=aiohttp.DummyCookieJar())
