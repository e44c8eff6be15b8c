"""What two or more processes share: the vocabulary, and the stores."""

import sys

# structlog takes these along wherever it finds them, for tracebacks in colour and for contexts that nobody has here. As
# long as a module is None it cannot be imported: each process has 5 MB less.
_SPARED = [name for name in ("rich", "greenlet") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_SPARED))  # type: ignore[arg-type]  # None is what Python documents for this
import structlog  # noqa: E402, F401

for _name in _SPARED:
    del sys.modules[_name]
