"""Plots: the pictures of a report, as SVG that a page can hold."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from eval.certainty import auc

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#1f5fa8", "#d98324", "#6b8f3c", "#8a5a9e", "#7a7a7a")


def bars(by_part: Mapping[str, Mapping[str, float]], title: str) -> str:
    """Return a bar a part (a topic, say) and system, of shares between 0 and 1."""
    systems = list(dict.fromkeys(system for shares in by_part.values() for system in shares))
    figure, axes = _figure(height=1.2 + 0.22 * len(by_part) * max(1, len(systems)))
    height = 0.8 / max(1, len(systems))
    for n, system in enumerate(systems):
        places = [row + (n - (len(systems) - 1) / 2) * height for row in range(len(by_part))]
        shares = [by_part[part].get(system, 0.0) for part in by_part]
        axes.barh(places, shares, height=height, label=system, color=COLOURS[n % len(COLOURS)])
    axes.set_yticks(range(len(by_part)), list(by_part))
    axes.set_ylim(len(by_part) - 0.5, -0.5)  # from top to bottom
    axes.set_xlim(0, 1)
    axes.set_title(title)
    if len(systems) > 1:
        figure.legend(loc="outside lower center", ncols=len(systems))
    return _svg(figure)


def refusing(known: Sequence[float], unknown: Sequence[float]) -> str:
    """Return what a threshold on the confidence would refuse, of what the shelf knows and of what it does not."""
    figure, axes = _figure()
    for values, name, colour in ((known, "the shelf knows", COLOURS[0]), (unknown, "it does not", COLOURS[1])):
        ordered = np.sort(np.asarray(values, dtype=float))
        axes.step(
            ordered, np.arange(1, len(ordered) + 1) / max(1, len(ordered)), where="post", label=name, color=colour
        )
    axes.set_xlabel("threshold on the confidence")
    axes.set_ylabel("share refused")
    axes.set_title(f"What a threshold would refuse (AUC {auc(known, unknown):.3f})")
    axes.legend()
    return _svg(figure)


def calibration(confidence: Sequence[float], right: Sequence[float], *, bins: int = 8) -> str:
    """Return how often an answer is right, by how sure the system was: bins hold equally many questions."""
    figure, axes = _figure()
    order = np.argsort(np.asarray(confidence, dtype=float))
    groups = [group for group in np.array_split(order, bins) if len(group)]
    places = [float(np.mean([confidence[n] for n in group])) for group in groups]
    shares = [float(np.mean([right[n] for n in group])) for group in groups]
    axes.plot(places, shares, marker="o", color=COLOURS[0])
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share right")
    axes.set_title("How often right, by confidence")
    return _svg(figure)


def latencies(milliseconds: Sequence[float]) -> str:
    """Return how long answers took."""
    figure, axes = _figure()
    axes.hist(milliseconds, bins=40, color=COLOURS[0])
    for share, style in ((50, "-"), (95, "--")):
        place = float(np.percentile(milliseconds, share))
        axes.axvline(place, linestyle=style, color=COLOURS[1], label=f"p{share}: {place:.0f} ms")
    axes.set_xlabel("milliseconds from question to answer")
    axes.set_ylabel("questions")
    axes.set_title("How long an answer takes")
    axes.legend()
    return _svg(figure)


def growing(sizes: Sequence[Mapping[str, Any]]) -> str:
    """Return how the time of a question and the memory of a passage change as a shelf grows; both axes logarithmic."""
    figure, axes = _figure()
    counts = [size["passages"] for size in sizes]
    shown = (("p50_ms", "a question, p50, ms"), ("bytes_a_passage", "memory a passage, bytes"))
    for (name, label), colour in zip((*shown, ("build_s", "build, s")), COLOURS, strict=False):
        axes.plot(counts, [size[name] for size in sizes], marker="o", label=label, color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("passages")
    axes.set_title("Growth of a shelf")
    axes.legend()
    return _svg(figure)


def _figure(height: float = 3.4) -> tuple[Figure, Axes]:
    from matplotlib import rc_context
    from matplotlib.figure import Figure as New

    with rc_context({"font.size": 9}):
        figure = New(figsize=(7.2, height), layout="constrained")
        axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Figure) -> str:
    from matplotlib import rc_context

    drawn = io.StringIO()
    # Text stays text, so that it can be searched and read aloud; nothing says when or by what it was drawn.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "eval"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    whole = drawn.getvalue()
    return whole[whole.index("<svg") :]
