"""The ways to confine a program, strongest first: Docker, bubblewrap, a plain subprocess."""
