"""What messages look like: Block Kit payloads and PagerDuty events drawn as HTML, in a look of our own.

It draws what figwatch sends and nothing else, so that a picture cannot show what a message does not hold.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from support.messages import Story, rendered, stories

Json = Mapping[str, Any]

_DOTS: Final = {"🔴": "red", "🟠": "amber", "🔵": "blue", "🟢": "green", "⚪": "grey"}
_WARNING: Final = "⚠️"

STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; padding: 20px; background: #eef1ee; width: 760px;
  font: 15px/1.47 "DejaVu Sans", Verdana, sans-serif; color: #1d2521; }
.card { background: #fff; border: 1px solid #d5dcd6; border-radius: 10px; padding: 16px 18px; }
.who { display: flex; align-items: center; gap: 9px; margin-bottom: 8px; font-size: 13px; color: #5c6a62; }
.who b { color: #1d2521; font-size: 14px; }
.face { width: 26px; height: 26px; border-radius: 7px; background: #2f6b4f; color: #fff; text-align: center;
  font: bold 14px/26px "DejaVu Sans", sans-serif; }
.app { background: #e6ebe7; border-radius: 3px; padding: 0 5px; font-size: 11px; }
h1 { font-size: 18px; line-height: 1.35; margin: 4px 0 12px; }
.dot { display: inline-block; width: 13px; height: 13px; border-radius: 50%; margin-right: 3px; }
.red { background: #cf3030; } .amber { background: #e08a1e; } .blue { background: #3672c9; }
.green { background: #2d9459; } .grey { background: #fff; border: 2px solid #8b978f; }
.section { margin: 10px 0; overflow-wrap: anywhere; }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 9px 22px; margin: 12px 0; }
.warn { display: inline-block; width: 17px; height: 17px; border-radius: 4px; background: #e08a1e; color: #fff;
  font: bold 13px/17px "DejaVu Sans", sans-serif; text-align: center; }
code { font: 12.5px "DejaVu Sans Mono", monospace; background: #f1f4f1; border: 1px solid #dfe5e0; border-radius: 4px;
  padding: 1px 4px; color: #8c3a17; }
hr { border: 0; border-top: 1px solid #dfe5e0; margin: 14px 0; }
.buttons { display: flex; gap: 9px; margin: 12px 0; }
.button { border: 1px solid #b9c4bc; border-radius: 6px; padding: 5px 13px; font-weight: bold; font-size: 13.5px; }
.button.primary { background: #2f6b4f; border-color: #2f6b4f; color: #fff; }
.context { color: #5c6a62; font-size: 12.5px; margin-top: 12px; overflow-wrap: anywhere; }
.thread { margin: 14px 0 0 26px; border-left: 3px solid #d5dcd6; padding-left: 16px; }
.thread .card { margin-top: 12px; }
.edited { color: #5c6a62; font-size: 12px; }
.count { color: #3672c9; font-weight: bold; font-size: 13px; margin-top: 12px; }
.alert { border-left: 6px solid #cf3030; }
.alert.warning { border-left-color: #e08a1e; } .alert.info { border-left-color: #8b978f; }
.chips { display: flex; gap: 8px; flex-wrap: wrap; margin: 0 0 12px; font-size: 12px; }
.chip { background: #f1f4f1; border: 1px solid #dfe5e0; border-radius: 20px; padding: 1px 10px; }
table { border-collapse: collapse; width: 100%; font-size: 13.5px; }
td { border-top: 1px solid #e6ebe7; padding: 6px 8px 6px 0; vertical-align: top; overflow-wrap: anywhere; }
td:first-child { width: 152px; color: #5c6a62; }
ul { margin: 0; padding-left: 18px; }
"""


def page(body: str) -> str:
    """A whole document."""
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><style>{STYLE}</style><body>{body}</body></html>\n'


def slack(payload: Json, note: str = "") -> str:
    """One message in a channel."""
    shown = "".join(_BLOCKS[block["type"]](block) for block in payload["blocks"])
    more = f' <span class="edited">{escape(note)}</span>' if note else ""
    return (
        '<div class="card"><div class="who"><span class="face">f</span><b>figwatch</b>'
        f'<span class="app">APP</span>{more}</div>{shown}</div>'
    )


def thread(told: Sequence[Story]) -> str:
    """An incident told by a bot: the first message as it was edited last, and what stands in its thread."""
    calls = [call for story in told for call in _calls(story)]
    root = next(call["arguments"] for call in reversed(calls) if call["method"] == "chat.update")
    replies = [call["arguments"] for call in calls if "thread_ts" in call["arguments"]]
    inside = "".join(slack(one, "also shown in the channel" if one["reply_broadcast"] else "") for one in replies)
    return f'{slack(root, "edited")}<div class="thread"><div class="count">{len(replies)} replies</div>{inside}</div>'


def pagerduty(event: Json) -> str:
    """One alert."""
    told = event["payload"]
    chips = [f"{label}: {told[label]}" for label in ("severity", "source", "component", "group", "class")]
    rows = "".join(
        f"<tr><td>{escape(label)}</td><td>{_value(value)}</td></tr>" for label, value in told["custom_details"].items()
    )
    links = "".join(f'<span class="button">{escape(link["text"])}</span>' for link in event["links"])
    return (
        f'<div class="card alert {escape(told["severity"])}"><h1>{escape(told["summary"])}</h1><div class="chips">'
        + "".join(f'<span class="chip">{escape(chip)}</span>' for chip in chips)
        + f'</div><table>{rows}</table><div class="buttons">{links}</div></div>'
    )


def _calls(story: Story) -> list[dict[str, Any]]:
    calls: Any = rendered(story, "slack-bot")
    return list(calls)


def _value(value: object) -> str:
    if isinstance(value, list):
        return "<ul>" + "".join(f"<li>{escape(str(one))}</li>" for one in value) + "</ul>"
    return escape(str(value))


def _header(block: Json) -> str:
    return f"<h1>{_marks(escape(_unescaped(block['text']['text'])))}</h1>"


def _section(block: Json) -> str:
    if "fields" in block:
        return '<div class="fields">' + "".join(f"<div>{_mrkdwn(one)}</div>" for one in block["fields"]) + "</div>"
    return f'<div class="section">{_mrkdwn(block["text"])}</div>'


def _actions(block: Json) -> str:
    buttons = (
        f'<span class="button {escape(one.get("style", ""))}">{escape(_unescaped(one["text"]["text"]))}</span>'
        for one in block["elements"]
    )
    return f'<div class="buttons">{"".join(buttons)}</div>'


def _context(block: Json) -> str:
    return '<div class="context">' + " ".join(_mrkdwn(one) for one in block["elements"]) + "</div>"


def _divider(_: Json) -> str:
    return "<hr>"


_BLOCKS: Final = {
    "header": _header,
    "section": _section,
    "actions": _actions,
    "context": _context,
    "divider": _divider,
}


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _mrkdwn(text: Json) -> str:
    """Bold, code and line breaks: all of the markup that figwatch sends."""
    html = escape(_unescaped(text["text"]), quote=False)
    html = re.sub(r"^\*([^*\n]+)\*$", r"<b>\1</b>", html, flags=re.MULTILINE)
    html = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html)
    return _marks(html).replace("\n", "<br>")


def _marks(html: str) -> str:
    for mark, colour in _DOTS.items():
        html = html.replace(mark, f'<span class="dot {colour}"></span>')
    return html.replace(_WARNING, '<span class="warn">!</span>')


def pictures() -> dict[str, str]:
    """Name of the picture -> the HTML that it is taken of."""
    told = stories()
    drawn = {f"slack-{name}": slack(_document(told[name], "slack")) for name in told if name not in _ALIKE}
    drawn |= {f"pagerduty-{name}": pagerduty(_document(told[name], "pagerduty")) for name in ("page", "open", "ticket")}
    drawn["slack-thread"] = thread([told[name] for name in ("page", "update-helped", "resolve")])
    return {name: page(body) for name, body in drawn.items()}


_ALIKE: Final = frozenset(
    {
        "withheld-not-worse",
        "withheld-no-control",
        "withheld-over-capacity",
        "withheld-forward-only",
        "withheld-lag-too-large",
        "withheld-gateway-changed",
        "withheld-latched",
        "withheld-kill-switch",
        "update-unverified",
        "update-decided",
        "ticket-traffic",
        "page-slow",
    }
)
"""They differ from others in a sentence and look the same."""


def _document(story: Story, receiver: str) -> Json:
    made: Any = rendered(story, receiver)
    return dict(made)


def fingerprints(drawn: Mapping[str, str]) -> dict[str, str]:
    """What tells whether a picture is stale: pixels differ between machines, what they are taken of does not."""
    return {name: hashlib.sha256(html.encode()).hexdigest() for name, html in sorted(drawn.items())}
