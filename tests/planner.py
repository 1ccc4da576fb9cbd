"""Plan with snakemake many times from one process: it is imported once, and each plan runs in a fork of its own.

Reads an order a line, JSON ``[folder, log, [argument, ...]]``; runs snakemake there with its output and errors in the
log; answers with the exit status.
"""

import json
import os
import sys

import jsonschema  # noqa: F401  # for the workflow, which would import it in each plan
from snakemake.cli import main

for line in sys.stdin:
    folder, log, arguments = json.loads(line)
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        stream = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(stream, 1)
        os.dup2(stream, 2)
        sys.path.insert(0, folder)
        main(arguments)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
