"""What is said of breakouts, and what followed them."""
