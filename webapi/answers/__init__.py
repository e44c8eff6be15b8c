"""What the web API answers: the shapes of its JSON, as its document describes them.

A key that is not always there is UNSET where it is not.
"""
