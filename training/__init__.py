"""Walk-forward training, its record in MLflow, and what is read from it."""
