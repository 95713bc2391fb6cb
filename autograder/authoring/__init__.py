"""The instructor's tools: fixtures, handout, proof, upload."""
