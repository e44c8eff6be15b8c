"""Every endpoint, declared once: what the API's document says of it, and which key it asks for."""

from __future__ import annotations

from typing import Final

from webapi.endpoints.about import ABOUT
from webapi.endpoints.ledger import LEDGER
from webapi.endpoints.lines import LINES
from webapi.endpoints.operation import OPERATION
from webapi.endpoints.session import SESSION
from webapi.endpoints.statistics import STATISTICS

ENDPOINTS: Final = (*LINES, *STATISTICS, *LEDGER, *SESSION, *OPERATION, *ABOUT)
