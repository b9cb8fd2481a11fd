"""How the benchmarks time what they compare, and print what they found."""

import json
import time


def shortest(function, repeats=3):
    """Seconds of the fastest of some calls."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def report(benchmark, figure, value, **setting):
    """Print one figure, to four digits, as a line of JSON."""
    line = {"benchmark": benchmark, "figure": figure, "value": float(f"{value:.4g}")}
    print(json.dumps(line | setting), flush=True)
