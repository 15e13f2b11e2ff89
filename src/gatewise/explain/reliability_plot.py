"""A reliability plot: how often what a model is so sure of is right, as a small SVG.

In: a `Calibration`. Out: SVG. A model that can be taken at its word lies on the diagonal; below it, the model is too
sure of itself. The area of a point is its share of all tags or spans.
"""

from __future__ import annotations

import math
from html import escape

from gatewise.model.calibration import Calibration, Reliability

SIZE, MARGIN = 320, 56  # of the square that is plotted in, and around it
COLORS = {"tags": "#3b6ea5", "spans": "#c2571a"}


def reliability_svg(calibration: Calibration, *, title: str) -> str:
    """The plot, with tags, and spans where the model marks them."""
    tables = {"tags": calibration.tokens} | ({} if calibration.spans is None else {"spans": calibration.spans})
    width, height = SIZE + 2 * MARGIN, SIZE + 2 * MARGIN + 18 * len(tables)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12" fill="#222">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="{MARGIN}" y="{MARGIN - 24}" font-size="14" font-weight="bold">{escape(title)}</text>',
        *_axes(),
        *(part for name, table in tables.items() for part in _series(table, COLORS[name])),
        *(part for row, (name, table) in enumerate(tables.items()) for part in _legend(row, name, table)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _x(value: float) -> str:
    return f"{MARGIN + SIZE * value:.1f}"


def _y(value: float) -> str:
    return f"{MARGIN + SIZE * (1 - value):.1f}"


def _axes() -> list[str]:
    lines = [
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{SIZE}" height="{SIZE}" fill="none" stroke="#888"/>',
        f'<line x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}" stroke="#888" stroke-dasharray="4 4"/>',
    ]
    for tenth in range(0, 11, 2):
        value = tenth / 10
        lines.append(f'<text x="{_x(value)}" y="{MARGIN + SIZE + 16}" text-anchor="middle">{value:g}</text>')
        lines.append(f'<text x="{MARGIN - 8}" y="{_y(value)}" dy="4" text-anchor="end">{value:g}</text>')
    middle = MARGIN + SIZE / 2
    lines.append(f'<text x="{middle}" y="{MARGIN + SIZE + 34}" text-anchor="middle">probability given</text>')
    lines.append(
        f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">share that is right</text>'
    )
    return lines


def _series(table: Reliability, color: str) -> list[str]:
    points = [(e.confidence, e.accuracy, e.count) for e in table.bins if e.confidence is not None]
    line = " ".join(f"{_x(confidence)},{_y(accuracy or 0)}" for confidence, accuracy, _ in points)
    drawn = [f'<polyline points="{line}" fill="none" stroke="{color}" stroke-width="1.5"/>']
    for confidence, accuracy, count in points:
        radius = 2.5 + 10 * math.sqrt(count / table.count)
        said = f"{count} with {confidence:.1%} on average, {accuracy or 0:.1%} right"
        drawn.append(
            f'<circle cx="{_x(confidence)}" cy="{_y(accuracy or 0)}" r="{radius:.1f}" fill="{color}" '
            f'fill-opacity="0.35" stroke="{color}"><title>{said}</title></circle>'
        )
    return drawn


def _legend(row: int, name: str, table: Reliability) -> list[str]:
    y = MARGIN + SIZE + 56 + 18 * row
    said = f"{name}: {table.count}, expected calibration error {table.expected_error:.2%}"
    return [
        f'<circle cx="{MARGIN + 6}" cy="{y - 4}" r="5" fill="{COLORS[name]}"/>',
        f'<text x="{MARGIN + 18}" y="{y}">{said}</text>',
    ]
