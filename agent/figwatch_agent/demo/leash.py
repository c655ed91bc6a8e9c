"""Runs any module, in this very process, so that it ends when its parent does: ``leash <module> <arguments>``."""

import runpy
import sys

from figwatch_agent.demo import child

if __name__ == "__main__":
    child.hold_leash()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
