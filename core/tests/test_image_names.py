"""The names of images: what an engine takes, and what is refused before one is asked."""

from __future__ import annotations

import pytest
from commanding import ENVS, run

from openenv.errors import UsageError
from openenv.hub.image_name import image_at, image_name, registry_of
from openenv.hub.size import told_size


@pytest.mark.parametrize(
    "name", ["a", "my_game-env:1.0", "a__b/c.d", "localhost/a", "Ghcr.io/me/a:B", "[::1]:5000/a", "h:1/a:b"]
)
def test_a_name_that_engines_take_is_taken(name: str) -> None:
    assert image_name(name) == name


@pytest.mark.parametrize("name", ["", "Bad:Tag:x", "a b", "-a", "a:", "a:.b", "Me/a", "a//b", "a___b", "a@b", "a" * 256, "a\n"])
def test_a_name_that_no_engine_takes_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is no name of an image") as refused:
        image_name(name)
    assert "\n" not in refused.value.message


def test_a_wrong_tag_is_refused_in_a_line_before_docker_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = run("build", str(ENVS / "echo"), "-t", "Bad:Tag:x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("openenv: 'Bad:Tag:x' is no name of an image: ")
    assert len(done.stderr.splitlines()) == 1


def test_an_image_is_named_at_a_registry_or_as_it_is_said() -> None:
    assert image_at("ghcr.io/me/", "echo-env:latest") == "ghcr.io/me/echo-env:latest"
    assert image_at("localhost:5000", "echo-env:latest") == "localhost:5000/echo-env:latest"
    assert image_at("localhost:5000/me/echo:1.2", "echo-env:latest") == "localhost:5000/me/echo:1.2"
    for wrong in ("https://ghcr.io/me", "ghcr.io/Me", " ", "ghcr.io/me/echo:1:2"):
        with pytest.raises(UsageError, match="small letters"):
            image_at(wrong, "echo-env:latest")


@pytest.mark.parametrize(
    ("image", "registry"), [("a:1", "docker.io"), ("me/a", "docker.io"), ("ghcr.io/a", "ghcr.io"), ("h:1/a", "h:1")]
)
def test_the_registry_of_a_name(image: str, registry: str) -> None:
    assert registry_of(image) == registry


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 bytes"), (999, "999 bytes"), (1_000, "1.0 kB"), (34_567, "35 kB"), (2_000_000, "2.0 MB")]
)
def test_a_size_is_told_in_the_unit_that_fits(size: int, told: str) -> None:
    assert told_size(size) == told
