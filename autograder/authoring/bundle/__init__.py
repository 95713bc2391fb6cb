"""What is uploaded to Gradescope: how it is packed, and the two scripts that the platform runs."""
