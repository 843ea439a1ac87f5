"""Answers: the card, batch files, REST."""
