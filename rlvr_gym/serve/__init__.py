"""Environments over the network: a server that speaks OpenEnv's HTTP and WebSocket contract, and one that speaks MCP.

    rlvr-gym serve Countdown                    # for openenv-core's clients, and for whoever has HTTP
    rlvr-gym serve Calculator --mcp             # for MCP clients, over standard input and output

FastAPI, uvicorn and the Prometheus client come with the extra ``serve``; they are imported by :func:`serve`, not by
this package.
"""

from rlvr_gym.serve.config import ServeConfig
from rlvr_gym.serve.start import serve

__all__ = ["ServeConfig", "serve"]
