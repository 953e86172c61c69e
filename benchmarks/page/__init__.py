"""The page over a large store: its API beside the bare statement that answers the same question."""
