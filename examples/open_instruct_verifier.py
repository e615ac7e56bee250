"""Data for open-instruct, and our verifier in its table.

Run::

    python examples/open_instruct_verifier.py train.jsonl

Import this module from open-instruct's entry point, before it builds its table of verifiers.
"""

import sys

from rlvr_gym.interop.files import write_rows
from rlvr_gym.interop.open_instruct import score, to_rows, verifier_function

try:
    from open_instruct.ground_truth_utils import VerificationResult, VerifierFunction
except ImportError:
    print("open-instruct is not installed here; its data can be written nevertheless")
else:
    RLVRGymVerifier = verifier_function(VerifierFunction, VerificationResult)

rows = to_rows("Countdown", 1000, seed=0)
write_rows(sys.argv[1], rows)
print("reward of a wrong answer:", score("<answer>1</answer>", rows[0]["ground_truth"]))
