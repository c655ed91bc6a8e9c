"""Carrying out a rollback that was decided: journaled steps, so that a kill at any instant leaves nothing unclear.

The promise: an intent is committed before every effect; one execution per incident; a step that may have happened is
repeated only where that is safe, else a person is asked; what was done before a failed step is undone in reverse.
"""
