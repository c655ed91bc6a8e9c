"""The image without Docker: its RUN lines done by hand, and the result run as its user on a read-only root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.deploy import instruction, words
from support.parts import ROOT, not_here, program
from support.real_prometheus import free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.needs("unshare", "setpriv", "mount")]

CONFINE = """\
set -e
prefix=$1 state=$2 stash=$3; shift 3
chown 10001:10001 "$state"
mount --bind "$state" "$state"
mount --bind "$prefix" "$stash"
# The interpreter may lie below a folder that is closed to others: an empty one with nothing but it takes its place.
as_user() {
    setpriv --reuid 10001 --regid 10001 --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "$@"
}
closed="" at=$prefix
while [ "$at" != / ]; do as_user test -x "$at" || closed=$at; at=$(dirname "$at"); done
if [ -n "$closed" ]; then
    mount -t tmpfs -o mode=755 tmpfs "$closed"
    mkdir -p "$prefix"
    mount --bind "$stash" "$prefix"
fi
mount -o remount,bind,ro /
as_user "$@"
"""
STORY = """\
for place in /here /usr/here "$1/here"; do if touch "$place" 2>/dev/null; then echo "can write $place"; exit 9; fi; done
cd "$1/state"
"$1/figwatch/bin/figwatch" run --config "$1/etc/figwatch.yaml" & agent=$!
for _ in $(seq 120); do
    kill -0 $agent || break
    if "$1/figwatch/bin/python" -c "$2" 2>/dev/null; then echo healthy; break; fi
    sleep 0.25
done
kill -TERM $agent
wait $agent
echo "ended with $?"
"""
SETTINGS = """\
source: {{scrape: {{targets: ["http://127.0.0.1:9/metrics"]}}}}
state: {{sqlite: {state}/figwatch.db}}
slo: slo
web: {{listen: "127.0.0.1:{port}"}}
"""


def build(folder: Path) -> None:
    """What the build stage does, with /src, /wheels and /opt/figwatch below ``folder``."""
    source = folder / "src"
    for rest in instruction("COPY"):
        if rest.startswith("--from"):
            continue
        for name in words(rest)[:-1]:
            path = ROOT / name
            (shutil.copytree if path.is_dir() else shutil.copy)(path, source / name)
    run = re.sub(
        r"(?<![\w.])/(wheels|opt/figwatch)\b", lambda found: f"{folder}/{Path(found[1]).name}", instruction("RUN")[0]
    )
    line = run.replace("python -m pip wheel", f"{sys.executable} -m pip wheel").replace(
        "&& python -m venv", f"&& {sys.executable} -m venv"
    )
    extra = instruction("ARG")[1].partition("=")[2]
    environment = {**os.environ, "EXTRA": extra, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COMPILE": "1"}
    done = subprocess.run(
        [program("sh"), "-ec", line], cwd=source, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_agent_of_the_image_runs_as_its_user_on_a_read_only_root(tmp_path_factory: pytest.TempPathFactory) -> None:
    if os.geteuid() != 0:
        not_here("only root may make the root read-only for a process")
    folder = Path("/var/tmp").joinpath(f"figwatch-image-{os.getpid()}")  # noqa: S108  pytest's own folders are closed to others
    try:
        run_it(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_it(folder: Path) -> None:
    """Build below ``folder``, confine, start, ask, stop."""
    for name in ("src", "state", "stash", "etc/slo"):
        folder.joinpath(name).mkdir(parents=True)
    build(folder)
    port = free_port()
    folder.joinpath("etc/figwatch.yaml").write_text(SETTINGS.format(state=folder / "state", port=port), "utf-8")
    folder.joinpath("etc/slo/cart.yaml").write_text(
        "version: 1\nmigration: shop\nservice: cart\nwindow: 30d\nroutes: [{route: /cart, stage: canary}]\n"
        "slos: [{name: cart, sli: {kind: availability}, objective: 99.9%}]\n",
        "utf-8",
    )
    asked = words(instruction("HEALTHCHECK")[0].partition("CMD ")[2])[-1].replace("9464", str(port))
    environment = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", "HOME": str(folder / "state")}
    confine = [program("unshare"), "--mount", "--propagation", "private", program("sh"), "-c", CONFINE, "confine"]
    story = [program("sh"), "-c", STORY, "story", folder, asked]
    done = subprocess.run(
        [str(word) for word in (*confine, sys.base_prefix, folder / "state", folder / "stash", *story)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout + done.stderr
    if "mount:" in done.stderr and "permission" in done.stderr.lower():
        not_here(f"no mounts here: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, said
    assert "healthy\n" in done.stdout, said
    assert done.stdout.endswith("ended with 0\n"), said
    assert folder.joinpath("state/figwatch.db").stat().st_uid == 10001
