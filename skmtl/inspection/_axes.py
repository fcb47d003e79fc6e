"""A new figure, and the look that all figures share; matplotlib is imported here."""


def new_axes(width, height):
    """Axes of a new figure of `width` x `height` inches.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError(
            'plots need matplotlib; install it with `pip install "skmtl[plot]"`.'
        ) from error
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def lighten(ax, *, rows=False):
    """A pale grid and no frame; with `rows`, for a figure of named rows, no vertical axis."""
    ax.grid(axis="x" if rows else "both", color="#dddddd", linewidth=0.6)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if rows:
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
