"""Certificates for 127.0.0.1, made when they are needed: a test that does so says ``needs("openssl")``."""

from __future__ import annotations

import subprocess
from pathlib import Path

from figwatch_agent.model.settings import Tls
from support.parts import program


def certificate(folder: Path, name: str) -> Tls:
    """One that signs itself, and its key; the same name in the same folder is made once."""
    made = Tls(certificate=str(folder / f"{name}.pem"), key=str(folder / f"{name}.key"))
    if not Path(made.key).exists():
        ask = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        about = ["-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"]
        where = ["-keyout", made.key, "-out", made.certificate]
        subprocess.run([program("openssl"), *ask.split(), *about, *where], check=True, capture_output=True, timeout=60)
    return made
