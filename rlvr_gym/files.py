"""Files that users write by hand: read, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlvr_gym.errors import ConfigError, os_reason

__all__ = ["read_mapping", "read_yaml"]


def read_yaml(path: Path) -> Any:
    """What a YAML file holds; JSON is YAML.

    Raises:
        ConfigError: if it cannot be read, or is no YAML.
    """
    import yaml

    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({os_reason(error)}); check the name.") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is no text in UTF-8; is it the right file?") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def read_mapping(path: Path) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Raises:
        ConfigError: if it cannot be read, is no YAML, or holds something else.
    """
    content = read_yaml(path)
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        kind = "nothing" if content is None else f"a {type(content).__name__}"
        raise ConfigError(
            f"{path} should hold a YAML mapping of names to values (name: value); it holds {kind}."
        )
    return content
