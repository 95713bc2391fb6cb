"""Grade a whole class, and write its books."""
