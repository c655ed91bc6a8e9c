"""Write what tells how messages read and look: golden documents, the webhook's schema, with ``--pictures`` pictures.

Pictures need Chromium (Debian's, through playwright); everything else needs nothing.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import sys
import zlib
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from figwatch_agent.notify.webhook_schema import webhook_schema_text  # noqa: E402  # tests/ had to be found first
from support.messages import RECEIVERS, rendered, stories  # noqa: E402  # the same
from support.notify import GOLDEN, told  # noqa: E402  # the same
from support.pictures import STYLE, fingerprints, pictures  # noqa: E402  # the same

SCHEMA: Final = ROOT / "agent" / "figwatch_agent" / "notify" / "webhook.schema.json"
PICTURES: Final = ROOT / "docs" / "pictures" / "messages"
SOURCES: Final = PICTURES / "sources.json"
CHROMIUM: Final = "/usr/bin/chromium"
COLOURS: Final = 14
"""Beside those of the style: enough for the edges of letters."""
SCALE: Final = 1.2
LONG: Final = frozenset({"slack-thread"})
"""Taken a little smaller, for they are tall."""

_PIXELS: Final = """async (url) => {
  const image = new Image(); image.src = url; await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width; canvas.height = image.height;
  const context = canvas.getContext("2d"); context.drawImage(image, 0, 0);
  const data = context.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let i = 0; i < data.length; i += 32768) text += String.fromCharCode(...data.subarray(i, i + 32768));
  return [image.width, image.height, btoa(text)];
}"""


def write_documents() -> None:
    """Goldens of every story at every receiver, and the schema; goldens of stories that are gone are removed."""
    GOLDEN.mkdir(parents=True, exist_ok=True)
    wanted = {
        f"{receiver}-{name}.json": told(rendered(story, receiver))
        for receiver in RECEIVERS
        for name, story in stories().items()
    }
    for stale in {file.name for file in GOLDEN.glob("*.json")} - set(wanted):
        (GOLDEN / stale).unlink()
    for name, text in wanted.items():
        (GOLDEN / name).write_text(text, "utf-8", newline="\n")
    SCHEMA.write_text(webhook_schema_text(), "utf-8", newline="\n")


def write_pictures() -> None:
    """A picture of each page of HTML, with few colours so that it is small."""
    from playwright.sync_api import sync_playwright

    drawn = pictures()
    PICTURES.mkdir(parents=True, exist_ok=True)
    for stale in {file.stem for file in PICTURES.glob("*.png")} - set(drawn):
        (PICTURES / f"{stale}.png").unlink()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, html in drawn.items():
            scale = 0.9 if name in LONG else SCALE
            page = browser.new_page(viewport={"width": 760, "height": 200}, device_scale_factor=scale)
            page.set_content(html)
            shot = page.screenshot(full_page=True)
            url = "data:image/png;base64," + base64.b64encode(shot).decode()
            width, height, data = page.evaluate(_PIXELS, url)
            (PICTURES / f"{name}.png").write_bytes(few_colours(width, height, base64.b64decode(data)))
            page.close()
        browser.close()
    SOURCES.write_text(json.dumps(fingerprints(drawn), indent=2) + "\n", "utf-8", newline="\n")


def few_colours(width: int, height: int, rgba: bytes) -> bytes:
    """A PNG with a palette: the most frequent colours, and for every other the nearest of them."""
    import numpy as np

    pixels = np.frombuffer(rgba, np.uint8).reshape(-1, 4)[:, :3]
    packed = pixels.astype(np.int64) @ np.array([65536, 256, 1])
    colours, places, counts = np.unique(packed, return_inverse=True, return_counts=True)
    frequent = colours[np.argsort(-counts)[:COLOURS]]
    kept = np.union1d(frequent, np.array([int(colour, 16) for colour in re.findall(r"#([0-9a-f]{6})\b", STYLE)]))
    nearest = np.argmin(
        ((_channels(colours)[:, None, :] - _channels(kept)[None, :, :]) ** 2).sum(axis=2), axis=1
    ).astype(np.uint8)
    rows = nearest[places].reshape(height, width)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    palette = _channels(kept).astype(np.uint8).tobytes()
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", palette), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _channels(packed: Any) -> Any:
    import numpy as np

    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1)


def main(arguments: list[str]) -> int:
    """Write; returns 2 for arguments that are none."""
    if arguments not in ([], ["--pictures"]):
        print("usage: python tools/messages.py [--pictures]", file=sys.stderr)
        return 2
    write_documents()
    if arguments:
        write_pictures()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
