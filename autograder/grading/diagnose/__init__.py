"""Wrong array in, kind of mistake out: which known mistake makes exactly this, else what is wrong with it and where."""
