"""Drift and repairs over time, as SVG."""

from collections.abc import Sequence

from htpy import Element, g, line, rect, svg, text, title

from ecr_warden_cli.report.report import Day

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 900, 160, 34, 22
KINDS = ("repaired", "reported", "failed", "more")


def chart(days: Sequence[Day]) -> Element:
    """A bar for each day, and in it how the runs ended; the days are in order."""
    most = max((sum(_counts(day)) for day in days), default=0) or 1
    step = (_WIDTH - _LEFT) / max(1, len(days))
    every = max(1, len(days) // 8)
    total = sum(sum(_counts(day)) for day in days)
    return svg(
        viewBox=f"0 0 {_WIDTH} {_HEIGHT + _BOTTOM}",
        role="img",
        aria_label=f"{total} runs with something to report in {len(days)} days, at most {most} on one day; "
        "the table below has the numbers",
    )[
        line(class_="axis", x1=_LEFT, x2=_WIDTH, y1=_HEIGHT, y2=_HEIGHT),
        text(x=0, y=12)[str(most)],
        text(x=0, y=_HEIGHT)["0"],
        (_bar(day, _LEFT + index * step, step, most) for index, day in enumerate(days)),
        (
            text(x=f"{_LEFT + index * step:.0f}", y=_HEIGHT + 15)[day.day[5:]]
            for index, day in enumerate(days)
            if index % every == 0
        ),
    ]


def _counts(day: Day) -> tuple[int, ...]:
    return day.repaired, day.reported, day.failed, day.more


def _bar(day: Day, x: float, step: float, most: int) -> Element:
    pieces: list[Element] = []
    top = float(_HEIGHT)
    for kind, number in zip(KINDS, _counts(day), strict=True):
        if number:
            height = number / most * (_HEIGHT - 4)
            top -= height
            pieces.append(
                rect(
                    class_=f"bar-{kind}",
                    x=f"{x + step * 0.1:.1f}",
                    y=f"{top:.1f}",
                    width=f"{step * 0.8:.1f}",
                    height=f"{height:.1f}",
                )
            )
    words = ", ".join(f"{number} {kind}" for kind, number in zip(KINDS, _counts(day), strict=True) if number)
    return g[title[f"{day.day}: {words or 'nothing'}"], pieces]
