"""Find the mistake behind a wrong array: a known mistake that gives exactly it, else what is wrong and where."""
