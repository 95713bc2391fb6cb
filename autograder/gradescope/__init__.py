"""Grade one submission on the platform."""
