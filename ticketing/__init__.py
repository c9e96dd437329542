"""The case, from registration to archive."""
