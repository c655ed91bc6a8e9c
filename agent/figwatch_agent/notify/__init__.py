"""From committed outbox rows to people: words, receivers, and the workers that keep the delivery promise.

The promise: every committed row is sent at least once with the row's id as idempotency key, first in, first out per
incident and receiver. A resolve never overtakes its trigger and is never given up for its age. What a receiver refuses
for good goes to its fallback at once.
"""
