"""How times are taken: in turns, so that a machine that slows down slows both sides down; medians, p95, ratios."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field


@dataclass
class Timed:
    """One side of a line."""

    samples: list[float] = field(default_factory=list)
    # The median of each turn: what ratios are taken of.
    turns: list[float] = field(default_factory=list)

    def add(self, turn: Sequence[float]) -> None:
        self.samples += turn
        self.turns.append(statistics.median(turn))

    @property
    def median(self) -> float:
        return statistics.median(self.samples)

    @property
    def p95(self) -> float:
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def ratio(upper: Timed, lower: Timed) -> float:
    """The median, over the turns, of one side's median over the other's."""
    return statistics.median(a / b for a, b in zip(upper.turns, lower.turns, strict=True))


def in_turns(
    sides: dict[Hashable, Callable[[object], object]],
    cases: Iterator[object],
    *,
    seconds: float,
    block: int = 5,
) -> dict[Hashable, Timed]:
    """Time every side on the same cases, a block at a time, until so many seconds are spent (at least three turns)."""
    timed: dict[Hashable, Timed] = {name: Timed() for name in sides}
    first = next(cases)
    for side in sides.values():
        # Caches of plans, of templates, of Python itself.
        side(first)
        side(first)
    deadline = time.perf_counter() + seconds
    turns = 0
    while turns < 3 or time.perf_counter() < deadline:
        turns += 1
        these = [next(cases) for _ in range(block)]
        for name, side in sides.items():
            spent = []
            for case in these:
                began = time.perf_counter()
                side(case)
                spent.append(time.perf_counter() - began)
            timed[name].add(spent)
    return timed
