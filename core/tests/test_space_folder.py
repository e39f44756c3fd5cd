"""What an environment's folder becomes as a Space: its front matter, its Dockerfile, and which files are in it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from commanding import ENVS

from openenv.errors import UsageError
from openenv.hub.dockerfile import published_dockerfile
from openenv.hub.environment_folder import environment_folder
from openenv.hub.front_matter import space_readme
from openenv.hub.published_files import published_files, secret_in
from openenv.hub.space_folder import space_folder


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in ENVS.glob("*/openenv.yaml")), ids=lambda folder: str(folder.name)
)
def test_a_folder_of_the_checkout_is_a_space_as_it_stands(folder: Path) -> None:
    space = space_folder(environment_folder(folder))
    assert [(file.path, file.told) for file in space.files if file.told or isinstance(file.source, bytes)] == []
    assert {"Dockerfile", "README.md", "openenv.yaml", "pyproject.toml"} <= {file.path for file in space.files}
    assert not [file.path for file in space.files if "cache" in file.path or file.path.endswith(".pyc")]


@pytest.mark.parametrize(
    ("readme", "interface", "front"),
    [
        ("", None, {"title": "T", "sdk": "docker", "app_port": 8000, "tags": ["openenv"]}),
        ("# My game\n", True, {"title": "T", "sdk": "docker", "app_port": 8000, "tags": ["openenv"], "base_path": "/web"}),
        ("---\ntitle: 'Mine: 2'\nbase_path: /web\n---\nText\n---\n", False, {"title": "Mine: 2", "base_path": None}),
        ("---\r\ntitle: Mine\r\nlicense: mit\r\n---\r\nText", None, {"title": "Mine", "license": "mit", "sdk": "docker"}),
        ("---\nbase_path: /other\n---\n", True, {"base_path": "/web"}),
        ("---\nbase_path: /other\n---\n", None, {"base_path": "/other"}),
        ("---\n---\n", None, {"title": "T"}),
    ],
)
def test_front_matter_is_completed_and_the_text_stays(readme: str, interface: bool | None, front: dict[str, object]) -> None:
    finished = space_readme(readme, "T", 8000, interface)
    _, written, body = finished.split("---", 2)
    told = yaml.safe_load(written)
    assert {name: told.get(name) for name in front} == front
    assert body.strip() == readme.split("---", 2)[-1].strip()
    assert space_readme(finished, "Another", 8000, interface) == finished


@pytest.mark.parametrize(
    ("readme", "told"),
    [
        ("---\nsdk: gradio\n---\n", "'sdk: gradio'"),
        ("---\napp_port: 7860\n---\n", "'app_port: 7860' and a Space of this folder needs 'app_port: 8000'"),
        ("---\na: [\n---\n", "not YAML"),
        ("---\n- a\n---\n", "without names and values"),
    ],
)
def test_a_front_matter_of_something_else_is_refused(readme: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        space_readme(readme, "T", 8000)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("written", "based"),
    [
        (
            "ARG BASE_IMAGE=a:1\nFROM ${BASE_IMAGE} AS b\nFROM ${BASE_IMAGE}\n",
            "ARG BASE_IMAGE=new:2\nFROM ${BASE_IMAGE} AS b\nFROM ${BASE_IMAGE}\n",
        ),
        ("ARG BASE_IMAGE\nFROM $BASE_IMAGE\n", "ARG BASE_IMAGE=new:2\nFROM $BASE_IMAGE\n"),
        (
            "FROM a:1 AS b\nRUN x\nfrom --platform=linux/amd64 a:1\nCOPY --from=b /x /x\n",
            "FROM new:2 AS b\nRUN x\nfrom --platform=linux/amd64 new:2\nCOPY --from=b /x /x\n",
        ),
        ("FROM a:1 AS b\nFROM b\n", "FROM new:2 AS b\nFROM b\n"),
    ],
)
def test_another_base_image_is_written_into_the_dockerfile(written: str, based: str) -> None:
    assert published_dockerfile(written, "new:2") == based
    assert published_dockerfile(written) == written
    assert published_dockerfile(written, interface=True) == f"{written}ENV ENABLE_WEB_INTERFACE=true\n"


def test_a_dockerfile_on_two_images_does_not_say_which_is_meant() -> None:
    with pytest.raises(UsageError, match="builds on a:1, b:2"):
        published_dockerfile("FROM a:1 AS x\nFROM b:2\nCOPY --from=x / /\n", "new:2")


def test_ignore_files_are_heeded_where_they_lie(tmp_path: Path) -> None:
    for name in (
        "a.log",
        "src/a.log",
        "src/keep.log",
        "src/data/x.csv",
        "data/x.csv",
        ".env.example",
        "keys/server.key",
        ".envrc",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n")
    (tmp_path / "src" / ".gitignore").write_text("/data/\n")
    found = published_files(tmp_path)
    assert sorted(found.shown) == [".env.example", ".gitignore", "data/x.csv", "src/.gitignore", "src/keep.log"]
    assert sorted(found.secret) == [".envrc", "keys/server.key"]


def test_links_within_a_folder_are_followed_and_others_refused(tmp_path: Path) -> None:
    root = tmp_path / "env"
    root.mkdir()
    (root / "a").write_text("here")
    (root / "b").symlink_to("a")
    assert published_files(root).shown["b"].read_text() == "here"
    (tmp_path / "outside").write_text("")
    (root / "c").symlink_to("../outside")
    with pytest.raises(UsageError, match=r"c is a link to \.\./outside"):
        published_files(root)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"x\ny = 'gh" + b"p_" + b"a" * 36 + b"'", "a token of GitHub in line 2"),
        (b"AK" + b"IA" + b"A" * 16, "a key of AWS in line 1"),
        (b"-----BEGIN RSA " + b"PRIVATE KEY-----\nMIIE", "a private key in line 1"),
        (b"token = 'hf_...'  # hf_your_token_here", None),
        (b"sk-learn and sk-image", None),
    ],
)
def test_what_looks_like_a_secret_is_seen_and_not_repeated(content: bytes, told: str | None) -> None:
    assert secret_in(content) == told
