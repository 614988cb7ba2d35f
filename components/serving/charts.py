"""Charts as SVG text for a page without scripts; its CSS colours the classes s0 to s7, grid and axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 420, 300
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 10, 40
N_COLOURS = 8


@dataclass(frozen=True)
class Series:
    """One line of a chart.

    Attributes:
        points: (x, y) in the axes' units.
        colour: index of a CSS class; by default the series' place in the chart.
        bounds: (low, high) of y at every point, drawn as whiskers.
        dashed: drawn broken, for what is compared with.
        dots: whether every point has a dot.
        notes: what hovering over a point says.
    """

    name: str
    points: Sequence[tuple[float, float]]
    colour: int | None = None
    bounds: Sequence[tuple[float, float]] = ()
    dashed: bool = False
    dots: bool = False
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Axis:
    """One axis: its label and the range that it shows."""

    label: str
    low: float = 0.0
    high: float = 1.0

    def ticks(self) -> list[float]:
        """About five round values inside the range."""
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        step = next(s for s in _round_steps() if span / s <= 6)
        first = -(-self.low // step)
        return [tick for k in range(8) if (tick := (first + k) * step) <= self.high + step * 1e-6]


@dataclass(frozen=True)
class Range:
    """A value with its bounds, one row of a forest plot or one bar."""

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    colour: int = 0
    note: str = ""
    is_quoted: bool = False


@dataclass(frozen=True)
class Spot:
    """One item of a scatter plot; `is_hollow` and `is_crossed` set kinds apart that colour does not."""

    x: float
    y: float
    colour: int
    note: str = ""
    is_hollow: bool = False
    is_crossed: bool = False


def line_chart(
    series: Sequence[Series], x: Axis, y: Axis, *, diagonal: bool = False, summary: str = ""
) -> str:
    """Lines over two axes.

    Args:
        diagonal: whether chance (or perfect calibration) is drawn from corner to corner.
        summary: what the chart shows, for those who cannot see it.
    """
    place = _Frame(x, y, WIDTH, HEIGHT)
    parts = [place.axes()]
    if diagonal:
        parts.append(_path([place.at(x.low, y.low), place.at(x.high, y.high)], "diagonal"))
    parts += [_line(line, place, k if line.colour is None else line.colour) for k, line in enumerate(series)]
    return _svg(WIDTH, HEIGHT, parts, summary or ", ".join(line.name for line in series))


def bar_chart(groups: Sequence[tuple[str, Sequence[Range]]], y: Axis, *, summary: str = "") -> str:
    """Groups of bars with whiskers, as paper 000's Figure 7."""
    bars = max((len(bars) for _, bars in groups), default=1)
    width = max(WIDTH, LEFT + RIGHT + len(groups) * (bars * 20 + 26))
    x = Axis("", 0, max(1, len(groups)))
    place = _Frame(x, y, width, HEIGHT)
    parts = [place.axes(x_ticks=False)]
    for k, (name, members) in enumerate(groups):
        parts.append(_text(*place.at(k + 0.5, y.low, dy=16), name, "tick", "middle"))
        step = 0.82 / max(1, len(members))
        parts += [_bar(member, place, k + 0.09 + j * step, step) for j, member in enumerate(members)]
    return _svg(width, HEIGHT, parts, summary)


def scatter_plot(spots: Sequence[Spot], *, summary: str = "") -> str:
    """Items on a plane whose axes mean nothing: neither ticks nor labels."""
    side, margin = 560, 14
    place = _Frame(_around(spots, "x"), _around(spots, "y"), side, side, margin, margin, margin)
    inner = f'x="{margin}" y="{TOP}" width="{side - 2 * margin}" height="{side - margin - TOP}"'
    parts = [f'<rect class="frame" {inner}/>', *(_spot(spot, place) for spot in spots)]
    return _svg(side, side, parts, summary)


def forest_plot(
    rows: Sequence[Range],
    x: Axis,
    *,
    marks: Sequence[tuple[float, str]] = (),
    bars: bool = False,
    summary: str = "",
) -> str:
    """One row per value: name, dot or bar from zero, interval; `marks` are named vertical lines."""
    row, left, width = 26, 190, 720
    height = TOP + len(rows) * row + 34
    axis = _Frame(x, Axis("", 0, 1), width, height, left=left, right=70, bottom=34)
    parts = [axis.vertical_grid()]
    for value, name in marks:
        top, bottom = axis.at(value, 1), axis.at(value, 0)
        parts.append(_path([top, bottom], "mark") + _text(bottom[0] + 3, TOP + 8, name, "tick mark-name"))
    for k, item in enumerate(rows):
        parts.append(_forest_row(item, axis, TOP + (k + 0.5) * row, left, width, bars))
    return _svg(width, height, parts, summary)


class _Frame:
    """Places the axes' units in the picture's pixels."""

    def __init__(
        self,
        x: Axis,
        y: Axis,
        width: float,
        height: float,
        left: int = LEFT,
        right: int = RIGHT,
        bottom: int = BOTTOM,
    ) -> None:
        self.x, self.y = x, y
        self.left, self.top, self.right, self.bottom = left, TOP, width - right, height - bottom

    def at(self, x: float, y: float, dy: float = 0) -> tuple[float, float]:
        """Pixels of a point."""
        across = (x - self.x.low) / ((self.x.high - self.x.low) or 1)
        up = (y - self.y.low) / ((self.y.high - self.y.low) or 1)
        return self.left + across * (self.right - self.left), self.bottom - up * (self.bottom - self.top) + dy

    def axes(self, x_ticks: bool = True) -> str:
        """Grid, ticks and labels of both axes."""
        parts = (
            [self.vertical_grid()]
            if x_ticks
            else [_path([(self.left, self.bottom), (self.right, self.bottom)], "axis")]
        )
        for tick in self.y.ticks():
            _, height = self.at(self.x.low, tick)
            parts.append(_path([(self.left, height), (self.right, height)], "grid"))
            parts.append(_text(self.left - 6, height + 4, _number(tick), "tick", "end"))
        middle = (self.top + self.bottom) / 2
        parts.append(
            f'<text class="label" text-anchor="middle" transform="translate(11 {middle:.1f}) rotate(-90)">'
            f"{escape(self.y.label)}</text>"
        )
        return "".join(parts)

    def vertical_grid(self) -> str:
        """Grid, ticks and label of the x axis."""
        parts = []
        for tick in self.x.ticks():
            across, _ = self.at(tick, self.y.low)
            parts.append(_path([(across, self.top), (across, self.bottom)], "grid"))
            parts.append(_text(across, self.bottom + 15, _number(tick), "tick", "middle"))
        parts.append(_text((self.left + self.right) / 2, self.bottom + 31, self.x.label, "label", "middle"))
        return "".join(parts)


def _line(line: Series, place: _Frame, colour: int) -> str:
    where = [place.at(x, y) for x, y in line.points]
    style = f"line s{colour % N_COLOURS}" + (" dashed" if line.dashed else "")
    parts = [_path(where, style, line.name)]
    for (across, _), (low, high) in zip(where, line.bounds, strict=False):
        ends = place.at(place.x.low, low)[1], place.at(place.x.low, high)[1]
        parts.append(_path([(across, ends[0]), (across, ends[1])], f"whisker s{colour % N_COLOURS}"))
    if line.dots:
        notes = [*line.notes, *[""] * len(where)]
        parts += [
            _dot(x, y, f"s{colour % N_COLOURS}", note) for (x, y), note in zip(where, notes, strict=False)
        ]
    return "".join(parts)


def _bar(item: Range, place: _Frame, start: float, width: float) -> str:
    if item.value is None:
        return ""
    left, top = place.at(start, item.value)
    right, bottom = place.at(start + width * 0.86, place.y.low)
    note = f"<title>{escape(item.note or f'{item.name}: {item.value:.3f}')}</title>"
    kind = _kind("bar", item)
    size = f'width="{right - left:.1f}" height="{max(0.0, bottom - top):.1f}"'
    bar = f'<rect class="{kind}" x="{left:.1f}" y="{top:.1f}" {size} rx="2">{note}</rect>'
    if item.low is None or item.high is None:
        return bar
    middle = (left + right) / 2
    ends = place.at(place.x.low, item.low)[1], place.at(place.x.low, item.high)[1]
    return bar + _path([(middle, ends[0]), (middle, ends[1])], "whisker on-bar")


def _forest_row(item: Range, axis: _Frame, middle: float, left: float, width: float, bars: bool) -> str:
    kind = _kind("", item)
    parts = [
        _text(left - 12, middle + 4, item.name, "row-name" + (" quoted" if item.is_quoted else ""), "end")
    ]
    if item.value is not None and bars:
        parts.append(_bar_from_zero(item, axis, middle))
    if item.low is not None and item.high is not None:
        ends = axis.at(item.low, 0)[0], axis.at(item.high, 0)[0]
        style = "whisker on-bar" if bars else f"interval {kind}"
        parts.append(_path([(ends[0], middle), (ends[1], middle)], style))
    if item.value is not None and not bars:
        parts.append(_dot(axis.at(item.value, 0)[0], middle, kind, item.note, radius=5))
    parts.append(
        _text(width - 62, middle + 4, "–" if item.value is None else f"{item.value:.3f}", "row-value")
    )
    return "".join(parts)


def _bar_from_zero(item: Range, axis: _Frame, middle: float) -> str:
    left, right = sorted(axis.at(value, 0)[0] for value in (0.0, item.value or 0.0))
    box = f'x="{left:.1f}" y="{middle - 6:.1f}" width="{right - left:.1f}" height="12"'
    return f'<rect class="{_kind("bar", item)}" {box}><title>{escape(item.note)}</title></rect>'


def _around(spots: Sequence[Spot], name: str) -> Axis:
    """The range of the spots with a margin."""
    values = [getattr(spot, name) for spot in spots] or [0.0]
    margin = 0.04 * (max(values) - min(values)) or 1.0
    return Axis("", min(values) - margin, max(values) + margin)


def _spot(spot: Spot, place: _Frame) -> str:
    radius = 5.5
    x, y = place.at(spot.x, spot.y)
    kind = f"s{spot.colour % N_COLOURS}"
    drawn = _dot(x, y, kind + (" quoted" if spot.is_hollow else ""), spot.note, radius)
    if not spot.is_crossed:
        return drawn
    left, right, top, bottom = x - radius, x + radius, y - radius, y + radius
    arms = ([(left, top), (right, bottom)], [(right, top), (left, bottom)])
    return drawn + "".join(_path(arm, "cross", spot.note) for arm in arms)


def _kind(name: str, item: Range) -> str:
    """CSS classes of a bar, a dot or an interval."""
    return f"{name} s{item.colour % N_COLOURS}{' quoted' if item.is_quoted else ''}".strip()


def _path(points: Sequence[tuple[float, float]], kind: str, title: str = "") -> str:
    if not points:
        return ""
    steps = " ".join(f"{'M' if k == 0 else 'L'}{x:.1f} {y:.1f}" for k, (x, y) in enumerate(points))
    return (
        f'<path class="{kind}" d="{steps}"><title>{escape(title)}</title></path>'
        if title
        else f'<path class="{kind}" d="{steps}"/>'
    )


def _dot(x: float, y: float, kind: str, note: str = "", radius: float = 3.2) -> str:
    title = f"<title>{escape(note)}</title>" if note else ""
    return f'<circle class="dot {kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}">{title}</circle>'


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(width: float, height: float, parts: Sequence[str], summary: str) -> str:
    title = f"<title>{escape(summary)}</title>" if summary else ""
    box = f'style="--width: {width:g}" viewBox="0 0 {width:g} {height:g}"'
    return f'<svg class="chart" {box} role="img">{title}{"".join(parts)}</svg>'


def _round_steps() -> list[float]:
    return [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5)]


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) > 1e-9 else "0"
