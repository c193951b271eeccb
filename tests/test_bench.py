"""The bench in miniature: every line is measured, and floor and product give the same answers (it compares them)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from bench import report
from bench.lines import Line, compared, counted
from bench.measure import Timed, in_turns, ratio

PROJECT = Path(__file__).resolve().parents[1]


def run(*arguments):
    # Production settings, as always in the bench; a server of its own below the tests' folder.
    environment = {name: value for name, value in os.environ.items() if name != "TESTING"}
    environment["VAR_DIR"] = str(settings.VAR_DIR)
    command = [sys.executable, "-m", "bench", "--size", "1000", *arguments]
    return subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.heavy
def test_bench_measures_every_line_and_compares_the_answers(tmp_path):
    found = tmp_path / "lines.json"
    done = run("--seconds", "0.1", "--json", str(found))
    assert done.returncode == 0, done.stderr
    lines = {line["name"]: line for line in json.loads(found.read_text())["lines"]}
    assert [name for name, line in lines.items() if line["error"]] == []
    assert set(lines) >= {
        "free slots, practitioner-day",
        "free slots, practitioner-month",
        "first free of 40 in 60 days, half full",
        "first free of 40 in 60 days, full",
        "list of 100, first page, in process",
        "list of 100, last page, HTTP",
        "patient search, HTTP",
        "patient page, HTTP",
        "visit page, HTTP",
        "bookings, 16 clients",
    }
    assert lines["bookings, 16 clients: valid requests refused"]["met"] is True
    assert lines["statements of a booking, service"]["ours"] <= 14
    assert "bookings, 16 clients" in done.stdout


def test_ratio_is_the_median_over_turns_not_of_all_samples():
    quick, slow = Timed(), Timed()
    for machine in (1, 1, 10):
        quick.add([0.001 * machine] * 3)
        slow.add([0.002 * machine] * 3)
    assert ratio(slow, quick) == pytest.approx(2)
    assert quick.median == 0.001
    assert quick.p95 == 0.01


def test_in_turns_gives_every_side_the_same_cases():
    seen = {"floor": [], "ours": []}
    timed = in_turns({name: seen[name].append for name in seen}, iter(range(100)), seconds=0, block=2)
    assert seen["floor"] == seen["ours"] == [0, 0, 1, 2, 3, 4, 5, 6]
    assert len(timed["ours"].turns) == 3


def test_table_says_what_was_met_and_replaces_its_block(tmp_path):
    fast, slow = Timed([0.001], [0.001]), Timed([0.02], [0.02])
    lines = [
        compared("day", 1000, fast, slow, most=12),
        counted("queries", 1000, 2, most=4, note="of both"),
        Line("broken", 1000, error="gone"),
    ]
    document = tmp_path / "performance.md"
    document.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.replace_block(document, report.as_markdown(lines, ["a machine"]))
    assert document.read_text() == (
        f"before\n{report.BEGIN}\n- a machine\n\n"
        "| line | rows | floor | p95 | ours | p95 | ratio | target | met |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
        "| day | 1,000 | 1.00 | 1.00 | 20.00 | 20.00 | 20.00x | ≤ 12x | NO |\n"
        "| queries (of both) | 1,000 |  |  | 2 |  |  | ≤ 4 | yes |\n"
        "| broken (gone) | 1,000 |  |  |  |  |  |  | ERROR |\n"
        f"{report.END}\nafter\n"
    )
