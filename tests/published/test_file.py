"""A file that a user gives is not another baseline's, as far as checksums tell."""

import pytest
from voxbench.errors import WeightsError
from voxbench.files import hex_digest
from voxbench.plugins import BASELINES
from voxbench.published.file import verified_file
from voxbench_baselines.suprem import SuPreMSwinUNETR
from voxbench_baselines.universal_model import UniversalModelSwinUNETR


@pytest.fixture
def suprem(tmp_path, monkeypatch) -> str:
    """A file whose checksum is on SuPreM's card."""
    path = tmp_path / "whatever.pth"
    path.write_bytes(b"weights")
    kind = BASELINES.find("suprem-swin-unetr")
    checksum = f"md5:{hex_digest(path, 'md5')}"
    offer = kind.checkpoints["base"].model_copy(update={"checksum": checksum})
    monkeypatch.setattr(kind, "checkpoints", {"base": offer})
    return str(path)


def test_a_file_that_is_another_s_by_its_checksum_is_refused(suprem):
    assert verified_file(SuPreMSwinUNETR(weights=suprem)).path.name == "whatever.pth"
    with pytest.raises(WeightsError, match="it is suprem-swin-unetr's file, not universal-model"):
        verified_file(UniversalModelSwinUNETR(weights=suprem))


def test_a_file_that_no_card_names_is_whatever_its_user_says(suprem, tmp_path):
    path = tmp_path / "unknown.pth"
    path.write_bytes(b"others")
    assert verified_file(UniversalModelSwinUNETR(weights=str(path))).sha256 == hex_digest(path)
