"""What the assistant learned from and how it reads: training examples and the components that read them."""
