"""One line of the table: what the smallest program took, what ours took, and what was promised."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bench.measure import Timed, ratio


@dataclass
class Line:
    """Times are milliseconds; rates are per second. `ratio` is ours over the floor (of rates and times alike)."""

    name: str
    size: int
    unit: str = "ms"
    floor: float | None = None
    floor_p95: float | None = None
    ours: float | None = None
    ours_p95: float | None = None
    ratio: float | None = None
    target: str = ""
    met: bool | None = None
    note: str = ""
    error: str = ""

    def as_json(self) -> dict:
        return asdict(self)


def compared(name: str, size: int, floor: Timed, ours: Timed, *, most: float | None = None, note: str = "") -> Line:
    """Ours against the floor; `most` is the largest ratio that was promised."""
    found = ratio(ours, floor)
    return Line(
        name,
        size,
        floor=floor.median * 1000,
        floor_p95=floor.p95 * 1000,
        ours=ours.median * 1000,
        ours_p95=ours.p95 * 1000,
        ratio=found,
        target=f"≤ {most:g}x" if most else "",
        met=found <= most if most else None,
        note=note,
    )


def grown(name: str, size: int, small: Timed, large: Timed, *, most: float = 1.3, base: int) -> Line:
    """Ours at the largest size against ours at the smallest, which stands in the floor's place."""
    line = compared(f"{name}: growth", size, small, large, most=most)
    line.note = f"floor = ours at {base:,}"
    return line


def counted(name: str, size: int, found: int, *, most: int | None = None, note: str = "") -> Line:
    return Line(
        name,
        size,
        unit="count",
        ours=found,
        target=f"≤ {most}" if most else "",
        met=found <= most if most else None,
        note=note,
    )
