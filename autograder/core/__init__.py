"""What all other packages share: errors, outcomes, results, configuration, lateness."""
