"""From the model and the runbooks to files, as {path: text}; the same input gives the same bytes."""
