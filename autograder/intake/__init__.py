"""Turn hand-ins, and the downloads of staff, into clean files and students."""
