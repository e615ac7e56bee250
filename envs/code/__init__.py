"""Code: programs to write, mend, invert, speed up and test; everything untrusted runs in the sandbox."""
