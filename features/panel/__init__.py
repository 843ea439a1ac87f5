"""Breadth of panels of any size: some securities at a time, and the next session from stored state."""
