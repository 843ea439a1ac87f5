"""A run made again from what it logged, and every difference."""
