"""Breadth of panels that do not fit in memory: a layout on disk, one pass over it, and the next day from stored state."""
