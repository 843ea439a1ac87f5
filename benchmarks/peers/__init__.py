"""The same work as a user of the usual libraries writes it; nothing here is used by the project."""
