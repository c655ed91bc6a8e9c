"""Runbooks as HTML: headings, paragraphs, lists, fenced code, emphasis and links; whatever else stands there is text.

Nothing passes through: every character is escaped, and a link leads to a web page, a mail address or within this site.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from markupsafe import Markup, escape

DEEPEST: Final = 6
"""Lists within lists; what is nested deeper is a paragraph."""

_HEADING: Final = re.compile(r"(#{1,6})\s+(.*?)\s*#*\s*")
_ITEM: Final = re.compile(r"(\s*)([-*+]|[0-9]{1,9}[.)])(\s+)(.*)")
_FENCE: Final = re.compile(r"\s*(`{3,}|~{3,})\s*([A-Za-z0-9_+.-]*)\s*")
_INLINE: Final = re.compile(
    r"(?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)"
    r"|\[(?P<label>[^\]\n]+)\]\((?P<to>[^()\s]+)\)"
    r"|<(?P<bare>https?://[^<>\s]+)>"
    r"|\*\*(?P<strong>\S(?:.*?\S)?)\*\*"
    r"|(?<![*\w])\*(?P<em>[^\s*](?:[^*]*[^\s*])?)\*(?![*\w])",
    re.DOTALL,
)
_SAFE: Final = re.compile(r"(?:https?://|mailto:|/(?!/)|#|[A-Za-z0-9_.-]+(?:[/#?]|$))")
"""How the address of a link may begin: a word before a colon would be a scheme of its own, such as ``javascript``."""


def render_markdown(text: str, *, below: int = 0) -> Markup:
    """The text as HTML. ``below`` pushes every heading so many levels down, to fit the page around it."""
    lines = text.replace("\r\n", "\n").expandtabs(4).split("\n")
    return Markup("".join(_blocks(lines, below, 0)))  # noqa: S704 (every piece below is escaped)


def _blocks(lines: Sequence[str], below: int, depth: int) -> Iterator[str]:
    place = 0
    while place < len(lines):
        line = lines[place]
        if not line.strip():
            place += 1
        elif fence := _FENCE.fullmatch(line):
            end = _end_of_fence(lines, place, fence[1])
            yield _code(lines[place + 1 : end], len(line) - len(line.lstrip()))
            place = end + 1
        elif heading := _HEADING.fullmatch(line):
            level = min(len(heading[1]) + below, 6)
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
            place += 1
        elif depth < DEEPEST and _ITEM.fullmatch(line):
            end = _end_of_list(lines, place)
            yield _list(lines[place:end], below, depth)
            place = end
        else:
            end = _end_of_paragraph(lines, place, depth)
            yield f"<p>{_inline(chr(10).join(each.strip() for each in lines[place:end]))}</p>"
            place = end


def _end_of_fence(lines: Sequence[str], begin: int, mark: str) -> int:
    ends = (place for place in range(begin + 1, len(lines)) if lines[place].strip() == mark)
    return next(ends, len(lines))


def _code(lines: Sequence[str], indent: int) -> str:
    body = "\n".join(line[min(indent, len(line) - len(line.lstrip())) :] for line in lines)
    return f'<pre tabindex="0"><code>{escape(body)}</code></pre>'


def _end_of_paragraph(lines: Sequence[str], begin: int, depth: int) -> int:
    for place in range(begin + 1, len(lines)):
        line = lines[place]
        starts_anew = _FENCE.fullmatch(line) or _HEADING.fullmatch(line) or (depth < DEEPEST and _ITEM.fullmatch(line))
        if not line.strip() or starts_anew:
            return place
    return len(lines)


def _end_of_list(lines: Sequence[str], begin: int) -> int:
    """A list goes on over blank lines as long as an item or something indented follows."""
    first = _indent(lines[begin])
    ordered = _is_ordered(lines[begin])
    for place in range(begin + 1, len(lines)):
        line = lines[place]
        if not line.strip() or _indent(line) > first:
            continue
        if not (_ITEM.fullmatch(line) and _indent(line) == first and _is_ordered(line) == ordered):
            if lines[place - 1].strip() and not _HEADING.fullmatch(line) and not _ITEM.fullmatch(line):
                continue  # a paragraph of the item that went on without an indent
            return place
    return len(lines)


def _list(lines: Sequence[str], below: int, depth: int) -> str:
    items: list[list[str]] = []
    first, content = _indent(lines[0]), 0
    for line in lines:
        found = _ITEM.fullmatch(line)
        if found and _indent(line) == first:
            content = len(found[1]) + len(found[2]) + len(found[3])
            items.append([found[4]])
        else:
            items[-1].append(line[min(content, _indent(line)) :])
    tag, start = ("ol", int(lines[0].strip().split(".")[0].split(")")[0])) if _is_ordered(lines[0]) else ("ul", 1)
    opened = f'<ol start="{start}">' if start != 1 else f"<{tag}>"
    return f"{opened}{''.join(_item(item, below, depth + 1) for item in items)}</{tag}>"


def _item(lines: Sequence[str], below: int, depth: int) -> str:
    body = "".join(_blocks(lines, below, depth))
    alone = body.startswith("<p>") and body.endswith("</p>") and body.count("<p>") == 1
    return f"<li>{body[3:-4] if alone else body}</li>"


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _is_ordered(line: str) -> bool:
    return line.lstrip()[0].isdigit()


def _inline(text: str) -> str:
    parts, place = [], 0
    for found in _INLINE.finditer(text):
        parts += [str(escape(text[place : found.start()])), _marked(found)]
        place = found.end()
    return "".join((*parts, str(escape(text[place:]))))


def _marked(found: re.Match[str]) -> str:
    if (code := found["code"]) is not None:
        return f"<code>{escape(code.strip())}</code>"
    if (label := found["label"]) is not None:
        return _link(found["to"], _inline(label), found[0])
    if (bare := found["bare"]) is not None:
        return _link(bare, str(escape(bare)), found[0])
    if (strong := found["strong"]) is not None:
        return f"<strong>{_inline(strong)}</strong>"
    return f"<em>{_inline(found['em'])}</em>"


def _link(to: str, label: str, written: str) -> str:
    return f'<a href="{escape(to)}">{label}</a>' if _SAFE.match(to) else str(escape(written))
