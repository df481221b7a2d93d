"""The picture of a sweep: for each lecture its claims and its numbers against the parameters."""

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np

MOST_NUMBERS = 5  # a lecture; those that vary most, relative to their size


def draw(grid, results, path):
    """Draw one row a lecture: how many claims failed, then the numbers that vary most."""
    names = list(dict.fromkeys(setting.name for setting in grid))
    figure, rows = plt.subplots(
        len(names),
        1 + MOST_NUMBERS,
        figsize=(3 * (1 + MOST_NUMBERS), 2.6 * len(names)),
        squeeze=False,
        layout="constrained",
    )
    for name, axes in zip(names, rows, strict=True):
        settings = [one for one in grid if one.name == name and "failed" in results.get(one, {})]
        draw_lecture(axes, name, settings, results)
    figure.savefig(path, dpi=110)
    plt.close(figure)


def draw_lecture(axes, name, settings, results):
    across, groups = axis_and_groups(settings)
    numbers = varying([results[one]["numbers"] for one in settings])
    for ax, number in zip(axes, [None, *numbers], strict=False):
        for label, members in groups.items():
            points = [(dict(one.values).get(across, 0), results[one]) for one in members]
            xs, ys = [x for x, _ in points], [value(found, number) for _, found in points]
            ax.plot(place(xs, ax), ys, "o", ms=4, alpha=0.7, label=label)
        ax.set_title(shortened(number or f"{name}: claims failed"), fontsize=8)
        ax.set_xlabel(across, fontsize=8)
        ax.tick_params(labelsize=7)
    if len(groups) > 1:
        axes[0].legend(fontsize=6)
    axes[0].set_ylim(bottom=-0.1)
    for ax in axes[: 1 + len(numbers)]:
        if settings and isinstance(dict(settings[0].values).get(across), int):
            ax.xaxis.get_major_locator().set_params(integer=True)
    axes[0].yaxis.get_major_locator().set_params(integer=True)
    for ax in axes[1 + len(numbers) :]:
        ax.set_axis_off()


def axis_and_groups(settings):
    """The parameter with most values, and the settings by the values of the others."""
    values = {}
    for one in settings:
        for name, given in one.values:
            values.setdefault(name, set()).add(given)
    across = max(values, key=lambda name: len(values[name]), default="")
    groups = {}
    for one in settings:
        others = [f"{name}={given}" for name, given in one.values if name != across]
        groups.setdefault(" ".join(others) or "all", []).append(one)
    return across, groups


def varying(found):
    """Names of the numbers that are in every run and vary, those that vary most first."""
    spread = {}
    for name in found[0] if found else ():
        numbers = np.array([numbers.get(name, np.nan) for numbers in found])
        if np.isfinite(numbers).all() and np.ptp(numbers) > 0:
            spread[name] = np.std(numbers) / max(np.abs(numbers).mean(), 1e-300)
    return sorted(spread, key=spread.get, reverse=True)[:MOST_NUMBERS]


def value(result, number):
    return len(result["failed"]) if number is None else result["numbers"].get(number, np.nan)


def place(xs, ax):
    """Numbers stand at their place; words stand side by side."""
    if all(isinstance(x, int | float) and not isinstance(x, bool) for x in xs):
        return xs
    return [str(x) for x in xs]


def shortened(text, most=44):
    text = text.replace("$", "")
    return text if len(text) <= most else f"{text[: most - 1]}…"
