"""Files that users write: whatever they hold, one sentence says what is wrong."""

import pytest

from rlvr_gym.errors import ConfigError
from rlvr_gym.files import read_mapping, read_yaml


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"a: : b", r"c\.yaml is not YAML: mapping values are not allowed here"),
        (b"\xff\xfe\x00", r"c\.yaml is no text in UTF-8"),
        (b"- 1", "it holds a list"),
        (b"", "it holds nothing"),
        (b"just words", "it holds a str"),
        (b"1: one", "mapping of names to values"),
        (b"[" * 100_000, "is not YAML"),
        (b"!!python/object/apply:os.system [id]", "is not YAML"),
    ],
    ids=range(8),
)
def test_what_is_no_mapping_is_told(tmp_path, content, told):
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=told) as raised:
        read_mapping(path)
    assert "\n" not in str(raised.value)


def test_files_that_cannot_be_read_are_told(tmp_path):
    with pytest.raises(
        ConfigError, match=r"none\.yaml cannot be read \(no such file or directory\); check the name"
    ):
        read_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match=r"cannot be read \(is a directory\)"):
        read_yaml(tmp_path)


def test_json_is_yaml(tmp_path):
    (tmp_path / "c.json").write_text('{"a": [1, null, "x"]}')
    assert read_mapping(tmp_path / "c.json") == {"a": [1, None, "x"]}
