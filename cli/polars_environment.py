"""What Polars is told before it is imported, in a process whose threads are somebody else's business."""

from __future__ import annotations

from typing import Final

OF_WORKERS: Final = {
    "POLARS_MAX_THREADS": "1",
    # Its allocator would have four arenas a core; so few threads do not contend for one, and it is 20 MB less.
    "_RJEM_MALLOC_CONF": "narenas:1",
}
