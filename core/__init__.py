"""What the rest stands on; imports nothing else of ours."""
