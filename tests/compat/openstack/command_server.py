"""Run commands of ``openstack`` one after the other in one process, which starts it only once.

A script for an environment with python-openstackclient. Each line of standard input is a JSON
list, the arguments of one command; each line of standard output is the answer: exit code,
standard output and standard error.
"""

import contextlib
import io
import json
import sys
import warnings

from openstackclient import shell


def run(argv: list[str]) -> dict[str, object]:
    """Run one command as the program ``openstack`` would."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        try:
            code = shell.main(argv)
        except SystemExit as end:  # argparse ends the program for arguments that it refuses
            code = end.code
    return {"code": code, "output": output.getvalue(), "errors": errors.getvalue()}


def main() -> None:
    warnings.simplefilter("ignore")
    answers = sys.stdout
    for line in sys.stdin:
        answers.write(json.dumps(run(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
