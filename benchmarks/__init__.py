"""What the project costs, measured beside what others would write: `make bench`."""
