"""Thin adapters, one per family of servers; each loads its framework only where it is that framework's own."""
