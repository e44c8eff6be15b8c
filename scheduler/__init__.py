"""A clock: it enqueues what is due, and does none of it."""
