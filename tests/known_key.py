"""An API key that tests know, and one that nobody gave out.

No random ones: names of tests have them in them, and two workers of pytest must find the same tests.
"""

from __future__ import annotations

PUBLIC_ID = "0123456789abcdef"
KEY = f"tally_{PUBLIC_ID}_{'0123456789abcdef' * 4}"
UNKNOWN_KEY = f"tally_{PUBLIC_ID[::-1]}_{'fedcba9876543210' * 4}"
