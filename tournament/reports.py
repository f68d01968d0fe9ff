"""A report as one HTML file that needs nothing else: tables and drawings, readable in light and dark."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tournament.errors import BadInput, Fault

ACCENT, SOFT, RULE = "#0b5f6b", "#77828c", "#d9d5ca"
LOOK: dict[Any, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "regatta", "font.family": "sans-serif", "font.size": 9,
    "axes.spines.top": False, "axes.spines.right": False, "axes.edgecolor": SOFT, "axes.labelcolor": SOFT,
    "xtick.color": SOFT, "ytick.color": SOFT, "text.color": SOFT, "axes.grid": True, "grid.color": RULE,
    "grid.linewidth": 0.5, "axes.axisbelow": True, "lines.linewidth": 1.4, "legend.frameon": False,
    "axes.prop_cycle": cycler(color=[ACCENT, "#b3622f", "#5a7d3a", "#7a5ea8", "#c29a2e", "#3d6fb0", SOFT]),
}  # fmt: skip
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><style>
:root{{color-scheme:light dark;--paper:#fbfaf6;--ink:#17212b;--soft:#55616d;--rule:#e4e1d8;--sheet:#fff;
--accent:#0b5f6b}}
@media (prefers-color-scheme:dark){{
:root{{--paper:#10161c;--ink:#e8ebee;--soft:#a9b4be;--rule:#27323c;--sheet:#161e26;
--accent:#67b9c4}}}}
body{{margin:0 auto;padding:32px 20px;max-width:1120px;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}}
h1,h2{{font-family:Georgia,serif;font-weight:600;margin:1.4em 0 .5em}}
h1{{font-size:30px;margin-top:0}}h2{{font-size:20px}}
p,figcaption{{color:var(--soft);max-width:70ch}}figure{{margin:0}}svg{{max-width:100%;height:auto}}
.scroll{{overflow-x:auto;background:var(--sheet);border:1px solid var(--rule);border-radius:8px;padding:4px 12px}}
table{{border-collapse:collapse;width:100%}}th{{text-align:right;font-weight:600;color:var(--soft)}}
td,th{{padding:6px 8px;border-bottom:1px solid var(--rule);text-align:right;white-space:nowrap}}
td:first-child,th:first-child{{text-align:left}}tr:last-child td{{border-bottom:0}}
{style}</style></head><body><main><h1>{title}</h1><p>{lede}</p>{body}</main></body></html>
"""


def page(title: str, lede: str, parts: Sequence[str], *, style: str = "") -> str:
    """The whole file; `style` is CSS besides."""
    return PAGE.format(title=escape(title), lede=escape(lede), body="\n".join(parts), style=style)


def heading(text: str) -> str:
    """A section's heading."""
    return f"<h2>{escape(text)}</h2>"


def note(text: str) -> str:
    """A paragraph of explanation."""
    return f"<p>{escape(text)}</p>"


def table(frame: pd.DataFrame) -> str:
    """A table that scrolls on narrow screens; every cell is text already."""
    head = "".join(f"<th scope='col'>{escape(str(name))}</th>" for name in frame.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in frame.to_numpy()
    )
    return f"<div class='scroll' tabindex='0'><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"


def drawing(caption: str, draw: Callable[[Axes], None], *, width: float = 10.0, height: float = 3.6) -> str:
    """One drawing as SVG with its caption; the same data give the same bytes."""
    with mpl.rc_context(LOOK):
        figure = Figure(figsize=(width, height), layout="constrained")
        draw(figure.subplots())
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def number(value: float, digits: int = 4) -> str:
    """A number with a true minus sign; a dash where there is none."""
    return "–" if value != value else f"{value:.{digits}f}".replace("-", "−")


def write(text: str, path: Path) -> None:
    """Write the file whole."""
    path.write_text(text, encoding="utf-8")


def write_json(figures: dict[str, object], path: Path) -> None:
    """Figures as JSON; those that do not exist are null."""
    path.write_text(json.dumps(_without_nan(figures), indent=1) + "\n", encoding="utf-8")


def refuse_full(folder: Path) -> None:
    """Refuse to write where something stands already. Raises BadInput."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(Fault("not_empty", f"{folder} already holds files", "name a new or empty folder"))


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
