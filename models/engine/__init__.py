"""EM for hidden Markov models, compiled: what fitting and long histories run. What a server runs is `models.inference`, in NumPy."""
