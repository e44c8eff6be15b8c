"""What two or more processes share: the vocabulary, and the stores."""
