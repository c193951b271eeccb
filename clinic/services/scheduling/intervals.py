"""Half-open stretches of whole seconds, [from, until): the arithmetic of free time. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Stretch = tuple[int, int]


def merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Sorted, without overlap, neighbours joined, empty ones dropped."""
    out: list[Stretch] = []
    for start, end in sorted(stretches):
        if start >= end:
            continue
        if out and start <= out[-1][1]:
            if end > out[-1][1]:
                out[-1] = (out[-1][0], end)
        else:
            out.append((start, end))
    return out


def minus(left: list[Stretch], right: list[Stretch]) -> list[Stretch]:
    """What of `left` is not in `right`; both merged."""
    out: list[Stretch] = []
    # One day's hours against a year's visits: begin where they can meet.
    i = max(0, bisect_right(right, left[0]) - 1) if left else 0
    for start, end in left:
        while i < len(right) and right[i][1] <= start:
            i += 1
        at, j = start, i
        while j < len(right) and right[j][0] < end:
            if right[j][0] > at:
                out.append((at, right[j][0]))
            at = max(at, right[j][1])
            j += 1
        if at < end:
            out.append((at, end))
    return out


def both(left: list[Stretch], right: list[Stretch]) -> list[Stretch]:
    """What is in `left` and in `right`; both merged."""
    out: list[Stretch] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i][0], right[j][0]), min(left[i][1], right[j][1])
        if start < end:
            out.append((start, end))
        if left[i][1] < right[j][1]:
            i += 1
        else:
            j += 1
    return out


def holds(stretches: list[Stretch], moment: int) -> bool:
    """Is `moment` inside one of the merged stretches?"""
    i = bisect_right(stretches, (moment, 1 << 62)) - 1
    return i >= 0 and stretches[i][0] <= moment < stretches[i][1]


def covers(stretches: list[Stretch], start: int, end: int) -> bool:
    """Does one of the merged stretches hold all of [start, end)?"""
    i = bisect_right(stretches, (start, 1 << 62)) - 1
    return i >= 0 and stretches[i][0] <= start and end <= stretches[i][1]


def around(stretches: list[Stretch], moment: int) -> Stretch:
    """The merged stretch that `moment` is in, or nothing around it."""
    i = bisect_right(stretches, (moment, 1 << 62)) - 1
    return stretches[i] if i >= 0 and moment < stretches[i][1] else (moment, moment)


def forbidden_starts(busy: Iterable[Stretch], before: int, length: int, after: int) -> list[Stretch]:
    """At which starts would a visit of `length` with its buffers touch something busy?

    [start - before, start + length + after) meets [b, e) exactly when b - length - after < start < e + before.
    """
    return merged((b - length - after + 1, e + before) for b, e in busy)


def multiples(stretch: Stretch, origin: int, step: int) -> Iterator[int]:
    """Moments origin + k * step inside the stretch."""
    start, end = stretch
    first = start + (origin - start) % step
    return iter(range(first, end, step))
