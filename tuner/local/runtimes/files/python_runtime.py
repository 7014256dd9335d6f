"""First code in a Python sandbox: the search path of Lambda, then AWS's runtime client. Runs on Python 3.8+."""

# ruff: noqa: INP001 - a script, not part of a package

import os
import sys

sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])
sys.argv = ["awslambdaric", *sys.argv[1:]]

from awslambdaric.__main__ import main  # noqa: E402

main(sys.argv)
