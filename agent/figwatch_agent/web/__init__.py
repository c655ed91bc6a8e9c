"""The agent's own server: what can be seen, and wishes that go into the inbox. It decides nothing."""
