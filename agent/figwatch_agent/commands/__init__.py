"""One file per verb, each with a click command named ``command``; loaded when the verb is called, never before.

Files that begin with an underscore are shared by verbs and are none.
"""
