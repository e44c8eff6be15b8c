"""What one core of this machine does today, in plain Python: rates are told as shares of it."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import Final

# What the targets are for: a yardstick of so many lines a second.
REFERENCE: Final = 2_500_000.0
LINE = "2025-06-10T10:41:40Z 184.116.4.244 POST /products 500 971ms"


def yardstick(seconds: float = 2.0) -> float:
    """Lines a second that one core takes apart: `json.loads` of a 100-line body, `split(" ")`, two `int`.

    The median of ten stretches.
    """
    body = json.dumps([LINE] * 100)
    rates = []
    for _ in range(10):
        done, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < seconds / 10:
            for line in json.loads(body):
                fields = line.split(" ")
                int(fields[4])
                int(fields[5][:-2])
            done += 100
        rates.append(done / spent)
    return median(rates)
