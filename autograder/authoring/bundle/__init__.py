"""Packs what is uploaded to Gradescope; the two scripts that the platform runs are here, too."""
