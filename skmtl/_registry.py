"""One lookup for strategies given by name or as objects, one sentence for unknown names."""


def resolve(spec, registry, role):
    """Return the entry that `spec` names, or `spec` itself if it is no string.

    Parameters
    ----------
    spec : str or object
        A key of `registry`, or a ready object.
    registry : dict of str -> object
    role : str
        What the entry is for, as the caller's parameter is called; used in the message.

    Raises
    ------
    ValueError
        If `spec` is a string that `registry` does not hold.
    """
    if not isinstance(spec, str):
        return spec
    if spec not in registry:
        raise ValueError(f"{role} must be one of {sorted(registry)}, got {spec!r}.")
    return registry[spec]
