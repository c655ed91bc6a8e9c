"""Everything durable: SQLite for the agent, and an in-memory twin that passes the same tests."""
