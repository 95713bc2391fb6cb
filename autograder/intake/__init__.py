"""What people hand in and what teachers download, turned into clean files and people."""
