"""What two or more processes share: the vocabulary, and the stores."""

import sys

# structlog takes these along wherever it finds them, for tracebacks in colour and for contexts that nobody has here:
# 3 MB in each process, 4 with the tests' greenlet. What is None cannot be imported; and every command imports this
# package before anything of ours imports structlog.
_SPARED = [name for name in ("rich", "greenlet") if name not in sys.modules]
sys.modules.update(dict.fromkeys(_SPARED))  # type: ignore[arg-type]  # None is what Python documents for this
import structlog  # noqa: E402, F401

for _name in _SPARED:
    del sys.modules[_name]
