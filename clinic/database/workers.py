"""Processes that work on the database side by side. Nothing of the application is imported before its set-up."""

from __future__ import annotations

import multiprocessing
import os
import queue
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor

_reports: multiprocessing.Queue | None = None


def run(path: str, jobs: Iterable[tuple], *, heard: Callable[[int], None]) -> None:
    """Call the function under the dotted `path` once per job, a process per core, each with a connection of its own.

    Its last argument is a function: what it is called with arrives at `heard`, in this process. The first error ends
    the work and is raised here; what was committed until then stays.
    """
    from django.db import connection

    context = multiprocessing.get_context("spawn")
    reports = context.Queue()
    todo = list(jobs)
    with ProcessPoolExecutor(
        min(os.cpu_count() or 1, len(todo)), context, _start, (connection.settings_dict["NAME"], reports)
    ) as pool:
        waiting = {pool.submit(_call, path, job) for job in todo}
        try:
            while waiting:
                _listen(reports, heard)
                for done in [future for future in waiting if future.done()]:
                    waiting.remove(done)
                    done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    _listen(reports, heard, patience=0.05)


def _listen(reports, heard, patience=0.2) -> None:
    while True:
        try:
            heard(reports.get(timeout=patience))
        except queue.Empty:
            return


def _start(database: str, reports) -> None:
    import django
    from django.db import connections

    global _reports
    _reports = reports
    django.setup()
    connections["default"].settings_dict["NAME"] = database


def _call(path: str, arguments: tuple) -> None:
    from django.utils.module_loading import import_string

    assert _reports is not None  # noqa: S101  # set before any call
    import_string(path)(*arguments, _reports.put)
