"""Independent jobs over processes, with a progress bar."""

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed

from tqdm import tqdm


def share(items, shard):
    """The part of ``items`` that belongs to ``shard = (index, count)``: every count-th, from index."""
    index, count = shard
    return items[index::count]


def _end_with_parent():
    """In a worker: end when the parent is killed; it would wait for jobs for ever, and hold its memory."""

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def run_jobs(function, jobs, workers=1, title=""):
    """Call ``function(job)`` for every job and yield the results as they come, in any order.

    With more than one worker the jobs run in spawned processes (forking a process that has loaded a
    deep-learning framework deadlocks), so ``function`` must be importable and ``jobs`` picklable. An
    exception in a job ends the run; what can be reported per file should be returned instead.
    """
    jobs = list(jobs)
    if workers <= 1 or len(jobs) <= 1:
        yield from map(function, tqdm(jobs, desc=title))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(jobs)), context, _end_with_parent) as pool:
        futures = [pool.submit(function, job) for job in jobs]
        try:
            for future in tqdm(as_completed(futures), total=len(futures), desc=title):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
