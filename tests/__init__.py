"""Tests mirror the packages; names are statements."""
