"""The installation's keys."""

import stat
import subprocess
from pathlib import Path

import pytest

from config.environment import read_key, read_keys
from local import keys


def test_keys_are_made_once_and_for_their_owner_alone(tmp_path: Path) -> None:
    first = keys.kept(tmp_path / "data")
    assert keys.kept(tmp_path / "data") == first
    assert stat.S_IMODE((tmp_path / "data" / "keys.env").stat().st_mode) == 0o600


def test_every_key_is_of_its_own_and_fit_for_the_settings(tmp_path: Path) -> None:
    made = keys.kept(tmp_path)
    assert len(set(made.values())) == len(made) == 4
    for name in keys.VERSIONED:
        assert list(read_keys(made[name])) == [1]
    assert len(read_key(made["HEED_ADDRESS_KEY"])) == 32


def test_a_key_that_is_missing_is_added_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "keys.env").write_text("HEED_ADDRESS_KEY=kept=as=it=is\n")
    assert keys.kept(tmp_path)["HEED_ADDRESS_KEY"] == "kept=as=it=is"
    assert set(keys.kept(tmp_path)) == set(keys.make())


ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("path", [".env", ".env.production", "var/keys.env", "data/keys.env"])
def test_what_holds_keys_is_neither_committed_nor_built_into_an_image(path: str) -> None:
    done = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False)
    assert done.returncode == 0
    kept_out = (ROOT / ".dockerignore").read_text().split()
    assert {"var", ".env", ".env.*", "**/.env", "**/*.env"} <= set(kept_out)
