"""Guides in, cited answers out."""
