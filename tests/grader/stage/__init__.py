"""``make rehearse``: the bundle in a world like Gradescope's, before a class depends on it."""
