"""Thin adapters for HTTP clients: the trace context travels on, and the migration mark where the callee is trusted."""
