"""The register of every trial: append-only, hash-chained, beside MLflow's database (METHODS 3.9)."""
