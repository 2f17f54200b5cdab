"""The parts of pages that are made of the code say something of everything that there is."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field
from voxbench.design.claims import Claim
from voxbench.design.spec import Sweep
from voxbench.plugins import BASELINES, TASKS
from voxbench.records.record import Record

from docs.generators import plugins
from docs.generators.models import keys, path, reference, toml, undescribed
from docs.generators.pages import MARK, PARTS, filled
from tests.conftest import REPOSITORY

PAGES = sorted((REPOSITORY / "docs").glob("*.md"))


class Wheel(BaseModel):
    """What rolls.

    Attributes:
        spokes: counted with
            care.
    """

    spokes: Annotated[int, Field(ge=3)] = 8
    rim: Literal["wood", "steel"]


class Cart(BaseModel):
    """What is pulled.

    Attributes:
        wheels: of either side.
        names: of the horses.
    """

    wheels: tuple[Wheel, ...] = ()
    names: dict[str, Wheel | None]


def test_a_field_without_a_description_is_named_with_its_place():
    assert undescribed(Cart) == ["wheels[].rim", "names.NAME.rim"]
    with pytest.raises(KeyError, match="rim"):
        keys(Wheel)


def test_every_key_stands_with_its_values_and_default_below_the_place_of_its_table(monkeypatch):
    monkeypatch.setattr(Wheel, "__doc__", f"{Wheel.__doc__}    rim: what holds.\n")
    told = reference(Cart, toml)
    assert "### `[[wheels]]`, `[names.NAME]`\n\nWhat rolls." in told
    assert "| `spokes` | whole number, ≥ 3 | `8` | counted with care. |" in told
    assert '| `rim` | `"wood"` or `"steel"` | required | what holds. |' in told
    assert "| `names` | table: text → table or nothing | required | of the horses. |" in told
    assert "### `wheels[]`, `names.NAME`" in reference(Cart, path)


@pytest.mark.parametrize("model", [Claim, Record, Sweep])
def test_every_key_of_a_file_is_described(model):
    assert undescribed(model) == []


def test_every_field_of_a_built_in_plugin_is_described():
    assert plugins.undescribed() == []


@pytest.mark.parametrize("part", PARTS)
def test_every_part_can_be_made(part):
    assert PARTS[part]().count("\n") > 5


@pytest.mark.parametrize(("registry", "part"), [(TASKS, "tasks"), (BASELINES, "baselines")])
def test_every_built_in_plugin_has_its_place(registry, part):
    told = PARTS[part]()
    for name, plugin in registry.plugins().items():
        assert plugin.owner != "voxbench" or f"`{name}`" in told


def test_every_part_stands_on_one_page():
    used = [name for page in PAGES for name in MARK.findall(page.read_text(encoding="utf-8"))]
    assert sorted(used) == sorted(PARTS)


def test_a_mark_is_replaced_by_its_part_and_an_unknown_one_is_refused():
    assert filled("a\n<!-- made of the code: tasks -->\nb") == f"a\n{PARTS['tasks']()}\nb"
    with pytest.raises(KeyError):
        filled("<!-- made of the code: nothing -->")
