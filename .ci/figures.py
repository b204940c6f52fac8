"""Say in words and numbers what the figures show, and compare this with figures.txt.

Run this after a change of a plot: it prints what differs. Then look at the pictures. If
they are right, run `python .ci/figures.py accept`, which writes figures.txt anew, and
git shows what has changed. To try other settings, add an empty line there, and a line
such as "01_linear_regression | EPOCHS = 2", and accept.
"""

import difflib
import itertools
import sys
from pathlib import Path

TEXT = Path(__file__).resolve().with_name("figures.txt")
sys.path.insert(0, str(TEXT.parent.parent))

import matplotlib.colors
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.contour import ContourSet
from matplotlib.text import Text

from test_all import PRINTED, run

COLORS = {
    "#0072b2": "blue",
    "#80b8d8": "pale blue",
    "#56b4e9": "sky blue",
    "#d55e00": "vermilion",
    "#e69f00": "orange",
    "#cccccc": "grey",
    "#000000": "black",
    "#ffffff": "white",
}


def numbers(*values):
    """Return three digits of each. What is tiny is 0, and -0 is 0."""
    return " ".join(f"{round(float(value), 9) + 0.0:.3g}" for value in values)


def color(value, alpha=None):
    """Return the name of a colour, and how opaque it is if this is not 100%."""
    *_, opacity = rgba = matplotlib.colors.to_rgba(value, alpha)
    if opacity == 0:
        return "hollow"
    code = matplotlib.colors.to_hex(rgba)
    return COLORS.get(code, code) + (f" {opacity:.0%}" if opacity < 1 else "")


def line_look(line):
    """Return colour, style and width of a line, and form and size of its dots."""
    look = color(line.get_color(), line.get_alpha())
    if line.get_linestyle() != "None":
        look += f" {line.get_linestyle()} {line.get_linewidth():g}"
    if line.get_marker() != "None":
        look += f" {line.get_marker()} {line.get_markersize():g}"
        look += f" at {line.get_markevery()}" if line.get_markevery() else ""
        if line.get_markerfacecolor() != line.get_color():
            fill = color(line.get_markerfacecolor(), line.get_alpha())
            look += f" ({fill}, edge {line.get_markeredgewidth():g})"
    return look


def area_looks(artist):
    """Return how the parts of bars, areas and other lines look: colour, and width."""
    faces = np.atleast_2d(artist.get_facecolor())
    edges = zip(np.atleast_2d(artist.get_edgecolor()), np.ravel(artist.get_linewidth()))
    areas = [f"{color(face)} area" for face in faces if any(face[3:])]
    style = artist.get_linestyle()  # of a collection: for each line, offset and dashes
    kind = "line" if style == "solid" or style[0][1] is None else "dashed line"
    return areas or [f"{color(edge)} {kind} {width:g}" for edge, width in edges]


def some_of(points):
    """Return some of the points, and the mean of all."""
    points = np.reshape(points, (-1, 2))
    few = len(points) < 4
    shown = points if few else points[[0, len(points) // 2, -1]]
    texts = [numbers(*point) for point in shown]
    mean = [] if few else ["mean " + numbers(*points.mean(axis=0))]
    return f"{len(points)} points: {', '.join(texts + mean)}"


def bounds(polygons):
    """Return the extent of outlines, which does not depend on the order of points."""
    points = np.concatenate(polygons)
    (left, bottom), (right, top) = points.min(axis=0), points.max(axis=0)
    length = sum(np.hypot(*np.diff(polygon, axis=0).T).sum() for polygon in polygons)
    ranges = f"x {numbers(left, right)}, y {numbers(bottom, top)}"
    return f"{ranges}, length {length:.2g}"


def describe(panel):
    """Return title, axes, texts and legend of a panel, then what is drawn, by look."""
    sides = [side for side, spine in panel.spines.items() if spine.get_visible()]
    place = numbers(*panel.get_position(original=True).extents)
    labels = [text.get_text() for text in panel.get_legend().get_texts()]
    lines = [f"{panel.get_title()} | {panel.title.get_fontsize():g} points"]
    for axis in (panel.xaxis, panel.yaxis):
        scale = axis.get_scale().replace("linear", "axis")
        limits = numbers(*axis.get_view_interval())
        lines.append(f"{scale} {axis.get_label_text()} | {limits}")
    lines.append(f"{' '.join(sides)} | at {place} | aspect {panel.get_aspect()}")
    for text in panel.texts:
        place = numbers(*text.get_position())
        lines.append(f"text {text.get_text()!r} | at {place}, {text.get_va()}")
    lines.append(f"legend | {', '.join(labels)}")

    things = {}  # points, or the bounds of an area or of a contour line
    to_data = panel.transData.inverted()
    artists = [*panel.collections, *panel.patches, *panel.lines]
    for artist in sorted(artists, key=lambda artist: artist.get_zorder()):
        name = f" | {artist.get_label()}" if artist.get_label() in labels else ""
        transform = artist.get_transform() + to_data
        if artist not in panel.collections:
            look = line_look(artist) if artist in panel.lines else area_looks(artist)[0]
            points = transform.transform(artist.get_path().vertices)
            things.setdefault(look + name, []).extend(points)
            continue
        paths = [transform.transform_path(path) for path in artist.get_paths()]
        one_by_one = isinstance(artist, ContourSet)  # old versions have one collection
        levels = [[path] for path in paths] if one_by_one else [paths]  # for each level
        for level, look in zip(levels, itertools.cycle(area_looks(artist))):
            parts = [path.to_polygons(closed_only=False) for path in level]
            polygons = list(itertools.chain(*parts))
            if polygons:
                lines.append(f"{look}{name} | {bounds(polygons)}")
    return lines + [f"{look} | {some_of(points)}" for look, points in things.items()]


def faults(fig):
    """Return what no picture may have."""
    renderer = fig.canvas.get_renderer()
    box = fig.get_tightbbox(renderer)
    if any(box.min < -0.01) or any(box.max > fig.get_size_inches() + 0.01):
        yield f"FAULT: something sticks out: {numbers(*box.extents)} inches"
    panels = [panel.get_window_extent(renderer) for panel in fig.axes]
    panels += [panel.xaxis.get_tightbbox(renderer) for panel in fig.axes]  # its labels
    legends = [panel.get_legend().get_window_extent(renderer) for panel in fig.axes]
    for number, legend in enumerate(legends, start=1):
        if legend.count_overlaps(panels + legends) > 1:  # with itself, there is one
            yield f"FAULT: the legend of panel {number} covers something"


def picture(script, settings):
    """Return the lines about a picture, and about each of its panels."""
    known = {"as it is": "", "all settings changed": PRINTED[script].split("\n\n")[1]}
    parts = []

    def look(fig, name, dpi):  # when the script saves it
        fig.set_dpi(dpi)
        fig.draw_without_rendering()
        texts = [text for text in fig.findobj(Text) if text.get_text()]
        smallest = min(text.get_fontsize() for text in texts)
        width, height = fig.bbox.size
        size = f"{width:.0f} x {height:.0f} pixels, text from {smallest:g} points"
        parts.extend([[f"{name} | {size}", *faults(fig)], *map(describe, fig.axes)])

    plt.close("all")
    try:
        with plt.rc_context({"lines.linewidth": 9}):  # a user's taste must not matter
            run(script, known.get(settings, settings), look)
    except Exception as error:
        text = str(error).replace("loss nan", "loss inf")  # depends on the processor
        return [[f"{type(error).__name__}: {text}"]]
    return parts


if __name__ == "__main__":
    intro, *parts = TEXT.read_text(encoding="utf-8").rstrip().split("\n\n")
    old = {part.splitlines()[0]: part for part in parts}
    usual = {}  # what the panels show with the script's own settings
    new = {}
    failed = False
    for name, settings in dict.fromkeys(tuple(part.split(" | ")[:2]) for part in old):
        script = next(script for script in PRINTED if script.__name__ == name)
        for number, lines in enumerate(picture(script, settings)):
            heading = f"{name} | {settings} | panel {number}".replace(" | panel 0", "")
            seen = usual.setdefault((name, number), [])
            shown = [line for line in lines if line not in seen]
            new[heading] = "\n".join([heading, *shown])
            if settings == "as it is":
                seen += lines
    if sys.argv[1:] == ["accept"]:
        TEXT.write_text("\n\n".join([intro, *new.values()]) + "\n", encoding="utf-8")
        old = new
    for heading in {**old, **new}:
        texts = old.get(heading, ""), new.get(heading, "")
        diff = difflib.ndiff(*map(str.splitlines, texts))
        diff = [line for line in diff if line[0] in "-+" or "FAULT" in line]
        if diff:
            failed = True
            print("\n".join([heading, *diff, ""]))
    sys.exit(failed)
