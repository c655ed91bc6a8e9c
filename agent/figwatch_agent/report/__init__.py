"""From what can be seen of the engine to what people and programs read."""
