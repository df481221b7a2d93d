"""Seconds of several ways to do the same."""

import math
import time


def best_seconds(ways, repeats):
    """Return the least seconds that each function took, after one call that does not count.

    The ways take turns, so that what else the machine does meets all of them alike.
    """
    for way in ways:
        way()
    best = [math.inf] * len(ways)
    for _ in range(repeats):
        for index, way in enumerate(ways):
            start = time.perf_counter()
            way()
            best[index] = min(best[index], time.perf_counter() - start)
    return best
