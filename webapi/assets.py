"""What pages load: scripts, styles and pictures, under a path that names the content of all of them.

Since the path changes with the content, an answer may be kept for ever; and since it is the same for all, scripts
import one another by relative paths.
"""

from __future__ import annotations

import gzip
import posixpath
import re
from collections.abc import Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = "/static"
ROUTE: Final = f"{FOLDER}/<tree>/<path:name>"
_TREE: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_PACKED: Final = frozenset((".png",))  # already: to compress it again wins nothing
_SHEET: Final = re.compile(rb'^@import "([^"]+)";$', re.MULTILINE)
_SCRIPT: Final = re.compile(rb'^(?:import|export)\b[^"]*\bfrom "([^"]+)";$', re.MULTILINE)


class Asset(NamedTuple):
    """A file as it is served; `compressed` (gzip) is None where that is no smaller."""

    content_type: str
    plain: bytes
    compressed: bytes | None


class Assets(NamedTuple):
    """All files of a tree by their paths in it, and the path below which they are served."""

    files: Mapping[str, Asset]
    root: str

    def path(self, name: str) -> str:
        """Where a file is served. Raises KeyError for one that there is not."""
        self.files[name]
        return f"{self.root}/{name}"

    def scripts(self, *names: str) -> list[str]:
        """These scripts and all that they import at once, each after what it was first imported by.

        Raises KeyError for one that there is not.
        """
        found = list(names)
        for name in found:
            said = _SCRIPT.findall(self.files[name].plain)
            imported = (posixpath.normpath(posixpath.join(posixpath.dirname(name), one.decode())) for one in said)
            found += [one for one in dict.fromkeys(imported) if one not in found]
        return found


@cache
def assets(tree: Path = _TREE) -> Assets:
    """The files of a tree as they are now, read once."""
    paths = sorted(path for path in tree.rglob("*") if path.suffix in _TYPES)
    files = {path.relative_to(tree).as_posix(): _read(path) for path in paths}
    digest = blake2b(digest_size=6)
    for name, asset in files.items():
        digest.update(f"{name}\0{len(asset.plain)}\0".encode() + asset.plain)
    return Assets(files, f"{FOLDER}/{digest.hexdigest()}")


def _read(path: Path) -> Asset:
    plain = _sheet(path) if path.suffix == ".css" else path.read_bytes()
    compressed = None if path.suffix in _PACKED else gzip.compress(plain, 9, mtime=0)
    smaller = compressed if compressed and len(compressed) < len(plain) else None
    return Asset(_TYPES[path.suffix], plain, smaller)


def _sheet(path: Path) -> bytes:
    """A style sheet, with what it imports where it imports it: one request in place of many."""
    return _SHEET.sub(lambda said: _sheet(path.parent / said[1].decode()), path.read_bytes())
