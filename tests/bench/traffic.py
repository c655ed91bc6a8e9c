"""One realistic request in the three shapes that servers hand to applications: ten headers, a sampled trace."""

from __future__ import annotations

import io
from typing import Any, Final

HEADERS: Final = (
    ("host", "chat.example.com"),
    ("user-agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36"),
    ("accept", "application/json"),
    ("accept-encoding", "gzip, deflate, br"),
    ("accept-language", "en-GB,en;q=0.9"),
    ("authorization", "Bearer abcdefghijklmnopqrstuvwxyz0123456789"),
    ("x-forwarded-for", "203.0.113.7"),
    ("x-request-id", "3f0c4e0e-7f0b-4f3e-9a53-0f4a6f5b9c11"),
    ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("cookie", "session=8c1f2d; theme=dark"),
)
PATH: Final = "/api/v1/chat/42"
TEMPLATE: Final = "/api/v1/chat/{id}"
QUERY: Final = "page=2"
BODY: Final = b'{"answer": 42}\n'

# Of a kind that is copied when it becomes bytes: a server makes new ones for each request, whose hashes nobody knows.
_RAW: Final = tuple((bytearray(name.encode()), bytearray(value.encode())) for name, value in HEADERS)
_UNSAMPLED: Final = tuple((name, bytearray(bytes(value).replace(b"3331-01", b"3331-00"))) for name, value in _RAW)


def scope(*, sampled: bool = True) -> dict[str, Any]:
    """A new ASGI scope, as uvicorn makes it."""
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 50000),
        "scheme": "http",
        "method": "GET",
        "root_path": "",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": QUERY.encode(),
        "headers": [(bytes(name), bytes(value)) for name, value in (_RAW if sampled else _UNSAMPLED)],
        "state": {},
    }


def environ() -> dict[str, Any]:
    """A new WSGI environ."""
    headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in HEADERS}
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": PATH,
        "QUERY_STRING": QUERY,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }


def raw() -> bytes:
    """The request as bytes on a connection that is kept."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in HEADERS)
    return f"GET {PATH}?{QUERY} HTTP/1.1\r\n{lines}\r\n".encode()
