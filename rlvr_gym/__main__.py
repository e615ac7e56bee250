"""``python -m rlvr_gym``, which ``torchrun`` needs."""

from rlvr_gym.cli.main import main

if __name__ == "__main__":
    main()
