"""The reference migration in a box: a monolith, three services, a gateway, load and a pager, with real HTTP.

Every part is a process of its own on loopback (``python -m figwatch_agent.demo.<part>``). The agent is started as any
user would start it, by ``figwatch run`` with files, and is spoken to by HTTP alone.
"""
