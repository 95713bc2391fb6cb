"""Words and numbers that every package shares: errors, outcomes, results, configuration."""
