"""Idempotency keys that fit into headers and fields of receivers, whatever stands in the id they come from."""

import hashlib
import re
from typing import Final

_LIMIT: Final = 255
"""The shortest limit of the receivers: PagerDuty's dedup_key."""
_PLAIN: Final = re.compile(rf"[\x21-\x7e]{{1,{_LIMIT}}}")


def wire_key(identity: str) -> str:
    """``identity`` where it is printable ASCII of at most 255 characters, else its SHA-256: always the same one."""
    if _PLAIN.fullmatch(identity):
        return identity
    return "sha256-" + hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()
