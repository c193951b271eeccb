"""The storm: many at once over HTTP, workers killed, PostgreSQL cut off. Afterwards nothing is doubled or lost.

Short by default. STRESS=1: fifty clients for a minute (STORM_SECONDS), or for STORM_ROUNDS=200 rounds, however long
that takes. STORM_JSON names a file for the figures.
"""

import contextlib
import json
import os
import random
import time
from collections import Counter
from pathlib import Path

import psutil
import psycopg
import pytest
from django.conf import settings

from clinic.database import embedded, roles
from tests.storm import ledger
from tests.storm.clients import Bookers, Browser
from tests.storm.product import THREADS, WORKERS, Cluster, WebServer, collected

pytestmark = [pytest.mark.heavy, pytest.mark.storm]

FULL = os.environ.get("STRESS") == "1"
ROUNDS = int(os.environ.get("STORM_ROUNDS", 0))
SECONDS = None if ROUNDS else float(os.environ.get("STORM_SECONDS", 60 if FULL else 6))
CLIENTS = 50 if FULL or ROUNDS else 16
RESTARTS = 5 if FULL or ROUNDS else 1
KILL_EVERY = 2.0
# In the control, so many pairs prove the race.
ENOUGH = 1000 if FULL or ROUNDS else 0
UNGUARDED = "camerino_unguarded"


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """(cluster, cast, folder): a clinic on a server of its own, and a copy of it without constraints."""
    folder = tmp_path_factory.mktemp("storm")
    # What is written survives all but a power cut either way; the short storm does not wait for the disk.
    cluster = Cluster(folder / "postgres", {} if FULL or ROUNDS else {"fsync": "off"})
    try:
        try:
            cluster.begin()
        except embedded.ServerError as error:
            pytest.skip(f"the storm wants a PostgreSQL that it may cut off: {error}")
        web = collected(Path(settings.VAR_DIR) / "storm")
        cast = cluster.make_clinic(CLIENTS, web)
        cluster.make_unguarded(UNGUARDED)
        yield cluster, cast, web, folder
    finally:
        cluster.end()


def test_storm_neither_doubles_nor_loses_nor_invents(clinic, capsys):
    cluster, cast, web, folder = clinic
    with WebServer(cluster, web, folder / "web.log") as server:
        # Workers are forked from a process that has read everything; a connection of its would be everybody's.
        assert cluster.sessions() == 0
        bookers = Bookers(server.port, cast, CLIENTS, seed=1, rounds=ROUNDS or 10**6, seconds=SECONDS)
        report = rage(cluster, server, bookers)
        report["healthy"] = healthy(server, cast)
        report["faults"] = server.said("Internal Server Error")
    tally = bookers.tally
    with psycopg.connect(cluster.dsn(roles.APP, roles.DATABASE)) as app:
        limits = {name: app.execute(f"SHOW {name}").fetchone()[0] for name in roles.APP_SETTINGS}
    with psycopg.connect(cluster.dsn(dbname=roles.DATABASE)) as admin:
        report["pairs"] = ledger.overlapping_pairs(admin)
        report |= ledger.verdict(admin, tally)
    report["deadlocks"] = cluster.said("deadlock detected")
    report["lock_timeouts"] = cluster.said("canceling statement due to lock timeout")
    tell(report, capsys)

    assert tally.odd == []
    assert report["faults"] == 0
    assert report["pairs"] == dict.fromkeys(ledger.PAIRS, 0)
    for wrong in ("missing", "unasked", "twice", "refused_but_booked", "half_written", "deadlocks"):
        assert report[wrong] == 0, wrong
    assert len(tally.gave_up) <= 0.01 * len(tally.wishes)
    # It was a storm.
    assert report["kills"] > 0
    assert report["restarts"] == RESTARTS
    assert len(tally.accepted) > 0
    assert len(tally.refused) > 0
    # And it left nothing behind: every worker answers, none holds more connections than it has threads.
    assert report["healthy"]
    assert report["sessions"] <= 2 * WORKERS * THREADS
    assert limits == roles.APP_SETTINGS


def rage(cluster, server, bookers):
    """Kill and restart while the clients book; the figures. The eldest worker is spared: a worker that lives through
    every restart is the one that could hang or swell."""
    rng = random.Random(2)
    kills = restarts = 0
    silence = 0.0
    sessions, memory = [0], []
    bookers.start()
    began = next_kill = time.monotonic()
    while bookers.running():
        if time.monotonic() >= next_kill:
            next_kill = time.monotonic() + KILL_EVERY
            sessions.append(cluster.sessions() or 0)
            eldest, *others = server.workers
            # Any of them may end just now by itself: gunicorn replaces who has answered long enough.
            with contextlib.suppress(psutil.NoSuchProcess):
                memory.append(eldest.memory_full_info().uss)
                if others and bookers.progress < 1:
                    rng.choice(others).kill()
                    kills += 1
        if restarts < RESTARTS and bookers.progress >= (restarts + 1) / (RESTARTS + 1):
            unplugged_at = time.monotonic()
            cluster.pull_the_plug()
            silence += time.monotonic() - unplugged_at
            bookers.prolong(time.monotonic() - unplugged_at)
            restarts += 1
        time.sleep(0.05)
    seconds = time.monotonic() - began
    tally = bookers.tally
    return {
        "clients": len(bookers.browsers),
        "workers": WORKERS,
        "rounds": bookers.round,
        "seconds": round(seconds, 1),
        "requests": len(tally.wishes),
        "accepted": len(tally.accepted),
        "refused": len(tally.refused),
        "sent_again": sum(wish.tries - 1 for wish in tally.wishes),
        "gave_up_percent": round(100 * len(tally.gave_up) / max(len(tally.wishes), 1), 2),
        "median_ms": round(tally.percentile(50)),
        "p95_ms": round(tally.percentile(95)),
        "kills": kills,
        "restarts": restarts,
        "database_away_s": round(silence, 1),
        "sessions": max(sessions),
        "eldest_mb": [round(size / 2**20) for size in (memory[0], memory[len(memory) // 2], memory[-1])],
        "seen": dict(Counter(tally.seen).most_common()),
    }


def healthy(server, cast) -> bool:
    """Without waiting for anything and without a second try: every page is there again."""
    browser = Browser(server.port, 200)
    browser.sign_in(cast["emails"][0], cast["password"])
    for _ in range(5 * WORKERS):
        # A connection of its own each time, so that every worker is asked.
        browser.connection.close()
        if browser.ask("GET", "/admin/clinic/appointment/?show=all")[0] != 200:
            return False
    return True


def test_without_locks_and_constraints_the_same_clients_book_twice(clinic, capsys):
    """The negative control: it is the guards that hold, not luck. No kills, no restarts."""
    cluster, cast, web, folder = clinic
    log = folder / "unguarded.log"
    with (
        WebServer(cluster, web, log, database=UNGUARDED, wsgi="tests.storm.unguarded") as server,
        psycopg.connect(cluster.dsn(dbname=UNGUARDED), autocommit=True) as admin,
    ):
        bookers = Bookers(server.port, cast, CLIENTS, seed=1, rounds=ROUNDS or 200)
        bookers.start()
        pairs = 0
        while bookers.running() and pairs <= ENOUGH:
            pairs = sum(ledger.overlapping_pairs(admin).values())
            time.sleep(1)
        bookers.stop()
        pairs = ledger.overlapping_pairs(admin)
    told = {
        "control": True,
        "rounds": bookers.round,
        "requests": len(bookers.tally.wishes),
        "accepted": len(bookers.tally.accepted),
        "pairs": pairs,
    }
    tell(told, capsys)
    assert bookers.tally.odd == []
    assert sum(pairs.values()) > ENOUGH


def tell(report, capsys) -> None:
    with capsys.disabled():
        print("\nstorm:", ", ".join(f"{name} {value}" for name, value in report.items()))  # noqa: T201
    if target := os.environ.get("STORM_JSON"):
        with open(target, "a", encoding="utf-8") as file:
            file.write(json.dumps(report) + "\n")
