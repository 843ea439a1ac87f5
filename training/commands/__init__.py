"""The words of the command line, one file a job. At the top they import click alone: a job's own packages come when it is called."""
