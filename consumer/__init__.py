"""Plans ranges of the topic as batches and hands them to the workers."""
