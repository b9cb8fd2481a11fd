"""How the benchmarks time what they compare."""

import time


def shortest(function, repeats=3):
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)
