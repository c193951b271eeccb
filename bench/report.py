"""The table: for eyes, for programs, and for docs/performance.md."""

from __future__ import annotations

import json
import os
import platform
from pathlib import Path

from django.utils import timezone

from bench.lines import Line

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
HEADS = ("line", "rows", "floor", "p95", "ours", "p95", "ratio", "target", "met")


def machine() -> str:
    """This machine in a phrase."""
    model = platform.processor() or platform.machine()
    with open("/proc/cpuinfo", encoding="utf-8") if Path("/proc/cpuinfo").exists() else open(os.devnull) as file:
        for line in file:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, {platform.system()} {platform.release()}"


def head(facts: dict[str, str], busy: float) -> list[str]:
    """What a reader must know before the table."""
    load = f"{busy:.2f} of {os.cpu_count()} cores were used by others"
    return [
        f"{timezone.localtime():%Y-%m-%d %H:%M}, {machine()}, Python {platform.python_version()}",
        "PostgreSQL "
        + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items()).replace(
            "server version ", ""
        ),
        f"gunicorn: {os.environ.get('WEB_WORKERS', '2')} workers of {os.environ.get('WEB_THREADS', '4')} threads, "
        "load driver on the same cores",
        f"Before the run {load}" + (": NOISY, treat no figure as final" if busy > 0.15 else "."),
    ]


def cells(line: Line) -> list[str]:
    met = "ERROR" if line.error else {True: "yes", False: "NO", None: ""}[line.met]
    share = "" if line.ratio is None else f"{line.ratio:.2f}" + ("" if line.unit == "per second" else "x")
    return [
        line.name,
        f"{line.size:,}",
        _number(line.floor, line.unit),
        _number(line.floor_p95, line.unit),
        _number(line.ours, line.unit),
        _number(line.ours_p95, line.unit),
        share,
        line.target,
        met,
    ]


def _number(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    if unit == "count":
        return f"{value:.0f}"
    if unit == "per second":
        return f"{value:,.0f}/s"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def as_text(lines: list[Line], about: list[str]) -> str:
    rows = [list(HEADS), *(cells(line) for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    out = [*about, ""]
    for row, line in zip(rows, [None, *lines], strict=True):
        left, rest = (
            row[0].ljust(widths[0]),
            (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        )
        out.append("  ".join([left, *rest]).rstrip())
        if line and (line.error or line.note):
            out.append(f"    {line.error or line.note}")
    out.append("")
    out.append("Times in milliseconds. Ratio: ours over the floor (of rates, the share that is reached).")
    return "\n".join(out)


def as_markdown(lines: list[Line], about: list[str]) -> str:
    out = [*(f"- {sentence}" for sentence in about), "", f"| {' | '.join(HEADS)} |", "|---" * len(HEADS) + "|"]
    for line in lines:
        row = cells(line)
        if line.error or line.note:
            row[0] += f" ({line.error or line.note})"
        out.append(f"| {' | '.join(row)} |")
    return "\n".join(out)


def as_json(lines: list[Line], about: list[str], facts: dict[str, str]) -> str:
    return json.dumps({"about": about, "database": facts, "lines": [line.as_json() for line in lines]}, indent=1)


def replace_block(path: Path, table: str) -> None:
    """Put the table between the marks of a document."""
    text = path.read_text(encoding="utf-8")
    before, found, rest = text.partition(BEGIN)
    _old, closed, after = rest.partition(END)
    if not (found and closed):
        raise SystemExit(f"{path} has no block between “{BEGIN}” and “{END}”.")
    path.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")
