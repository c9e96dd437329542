"""What `make bench` runs; each prints a ratio against something named."""
