"""The work itself, as Dramatiq actors: batches into rows and rollups, statistics into the cache."""
