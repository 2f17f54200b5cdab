"""Where everything lies in the model: mm, RAS, the origin before the second lumbar vertebra."""

from collections.abc import Iterator
from dataclasses import dataclass

from voxbench_tasks.phantom.solids import Ellipsoid, Node, Point, Solid, Tube, rotation

CAVITY = ("visceral_fat",)
TRUNK = ("visceral_fat", "muscle", "subcutaneous_fat")
SIDES = (("left", -1), ("right", 1))


@dataclass(frozen=True)
class Organ:
    """One painting step.

    Attributes:
        tissue: what is painted.
        solids: their union.
        group: organs of one group move together.
        onto: tissues that it may paint over.
        loose: mm by which the nodes of its tubes wander on their own.
        vary: by how much its size varies between patients, either way.
    """

    tissue: str
    solids: tuple[Solid, ...]
    group: str
    onto: tuple[str, ...]
    loose: float
    vary: float


def organs(female: bool, gall_bladder: bool) -> Iterator[Organ]:
    """The painting steps of one patient, in order: what is painted first stays."""
    yield from _spine()
    yield from _hips()
    yield from _vessels()
    if female:
        yield _organ("uterus", Ellipsoid((4, 4, -146), (24, 30, 20), rotation(0.3, 0, 0)))
    else:
        yield _organ("prostate", Ellipsoid((0, 6, -202), (25, 19, 18)), group="pelvis")
    yield _organ("bladder", Ellipsoid((0, 26, -166), (36, 28, 24)), vary=0.25)
    if gall_bladder:
        yield _organ("gall_bladder", Ellipsoid((56, 44, 4), (14, 15, 26), rotation(-0.2, 0.15, 0)))
    yield from _upper_abdomen()
    yield from _bowel()
    yield from _chest()


def _organ(
    tissue: str,
    *solids: Solid,
    group: str = "",
    onto: tuple[str, ...] = CAVITY,
    loose: float = 0,
    vary: float = 0.12,
) -> Organ:
    return Organ(tissue, solids, group or tissue, onto, loose, vary)


def _tube(*nodes: Node, steps: int = 3) -> Tube:
    return Tube(nodes, steps)


def _rod(start: Point, end: Point, start_radius: float, end_radius: float) -> Tube:
    return Tube(((*start, start_radius), (*end, end_radius)), steps=1)


def _spine_y(z: float) -> float:
    """Where the vertebral bodies lie: lordosis below, kyphosis above."""
    return -58 - 0.0004 * (z + 30) * (z + 30)


def _spine() -> Iterator[Organ]:
    levels = range(-92, 200, 31)
    canal = [(0.0, _spine_y(z) - 23, float(z), 8.0) for z in range(-130, 216, 31)]
    yield _organ("spinal_canal", _tube(*canal, steps=1), group="spine", onto=TRUNK, vary=0.04)
    bones: list[Solid] = []
    for z in levels:
        y = _spine_y(z)
        bones.append(Ellipsoid((0, y, z), (22, 15, 13), blunt=True))
        bones.append(_rod((0, y - 33, z - 4), (0, y - 46, z - 10), 6, 4))
        for _, side in SIDES:
            bones.append(_rod((side * 14, y - 14, z), (side * 4, y - 33, z - 3), 6, 6))
            bones.append(_rod((side * 14, y - 18, z), (side * 36, y - 24, z), 5, 4))
    yield _organ("vertebrae", *bones, group="spine", onto=TRUNK)
    discs = [Ellipsoid((0, _spine_y(z + 15), z + 15), (20, 14, 7), blunt=True) for z in levels]
    yield _organ("disc", *discs, group="spine", onto=TRUNK)
    sacrum = Ellipsoid((0, -74, -138), (42, 15, 40), rotation(0.15, 0, 0))
    yield _organ("bone", sacrum, group="spine", onto=TRUNK)
    for name, side in SIDES:
        psoas = _tube(
            (28 * side, -52, 12, 8), (36 * side, -46, -30, 15), (46 * side, -38, -80, 19),
            (66 * side, -8, -130, 17), (90 * side, 12, -172, 13), (104 * side, 2, -205, 9),
        )  # fmt: skip
        yield _organ(f"psoas_{name}", psoas, onto=TRUNK)


def _hips() -> Iterator[Organ]:
    for name, side in SIDES:
        head, hip, knee = (side * 84, -4, -170), (side * 116, -12, -188), (side * 112, -6, -270)
        yield _organ(
            f"femur_{name}",
            Ellipsoid(head, (23, 23, 23)),
            _rod(head, hip, 16, 17),
            _rod(hip, knee, 18, 14),
            group="hips",
            onto=TRUNK,
            vary=0.04,
        )
        yield _organ(
            "bone",
            Ellipsoid((side * 84, -38, -110), (9, 50, 46), rotation(0, side * 0.15, side * -0.3)),
            Ellipsoid((side * 68, -12, -160), (18, 30, 34)),
            _tube((side * 62, 12, -168, 11), (side * 34, 36, -182, 9), (side * 6, 42, -190, 9)),
            _rod((side * 62, -28, -176), (side * 46, -30, -218), 13, 11),
            group="hips",
            onto=TRUNK,
        )


def _vessels() -> Iterator[Organ]:
    aorta = _tube((-10, -42, 210, 12), (-10, -38, 90, 11), (-9, -33, 10, 10.5), (-4, -30, -72, 9.5))
    yield _organ("aorta", aorta, group="vessels", loose=2, vary=0.1)
    cava = _tube((22, -14, 118, 12), (24, -24, 70, 12), (23, -30, 10, 11.5), (14, -31, -76, 11))
    yield _organ("postcava", cava, group="vessels", loose=2)
    for _, side in SIDES:
        iliac = _tube((2, -30, -74, 9), (side * 30, -22, -110, 8), (side * 66, 22, -175, 7))
        yield _organ("iliac_vessels", iliac, group="vessels", loose=2)
    yield _organ(
        "celiac_trunk",
        _tube((-9, -26, 36, 6), (-8, -6, 38, 5.5), (-5, 4, 40, 5.5)),
        _tube((-5, 4, 40, 5.5), (8, 10, 42, 5), (24, 12, 38, 4.5)),
        _tube((-5, 4, 40, 5.5), (-20, -2, 42, 5), (-36, -10, 40, 4.5)),
        group="vessels",
    )
    yield _organ(
        "portal_vein_and_splenic_vein",
        _tube((8, 6, 6, 8), (18, 6, 22, 8), (32, 4, 44, 8)),
        _tube((8, 6, 6, 7.5), (-24, -2, 14, 6.5), (-56, -22, 28, 6), (-82, -36, 44, 5.5)),
        group="pancreas",
    )


def _upper_abdomen() -> Iterator[Organ]:
    yield _organ("esophagus", _tube((2, -36, 210, 10), (-4, -28, 130, 10), (-18, -14, 92, 10)))
    for name, side in SIDES:
        x = side * 36
        yield _organ(
            f"adrenal_gland_{name}",
            _rod((x, -28, 62), (x, -38, 56), 6, 6.5),
            _rod((x, -38, 56), (x + 7, -52, 42), 6.5, 5),
            _rod((x, -38, 56), (x - 7, -52, 44), 6.5, 5),
        )
    for name, side, height in (("left", -1, 2), ("right", 1, -14)):
        bean = Ellipsoid(
            (side * 68, -44, height), (25, 25, 52), rotation(0.06, side * 0.08, 0), bend=-side * 12
        )
        yield _organ(f"kidney_{name}", bean)
    pancreas = _tube(
        (36, 8, -20, 13), (30, 14, -4, 15), (8, 22, 8, 11), (-24, 16, 14, 12),
        (-52, -6, 26, 12), (-78, -24, 38, 9),
    )  # fmt: skip
    yield _organ("pancreas", pancreas)
    duodenum = _tube(
        (26, 40, 10, 12), (48, 26, 6, 12), (58, 6, -18, 13), (46, -6, -48, 12),
        (8, -8, -52, 11), (-24, 4, -34, 11),
    )  # fmt: skip
    yield _organ("duodenum", duodenum, group="pancreas", loose=3)
    yield from _liver()
    crescent = Ellipsoid((-92, -32, 64), (24, 40, 46), rotation(0.1, 0.1, -0.15), bend=14)
    yield _organ("spleen", crescent)
    stomach = _tube(
        (-20, -12, 88, 14), (-52, -18, 88, 30), (-66, 6, 64, 32), (-58, 38, 30, 27),
        (-24, 54, 4, 22), (12, 48, 6, 16), (28, 40, 10, 12),
    )  # fmt: skip
    yield _organ("stomach", stomach, loose=5)


def _liver() -> Iterator[Organ]:
    yield _organ(
        "liver",
        Ellipsoid((70, -6, 46), (54, 70, 74), rotation(0, -0.08, 0)),
        Ellipsoid((36, 26, 70), (62, 46, 42), rotation(0, -0.12, -0.1)),
        Ellipsoid((-22, 42, 76), (54, 30, 26), rotation(0, -0.1, 0.1)),
    )
    yield _organ(
        "hepatic_vessel",
        _tube((22, -12, 98, 7), (52, -20, 88, 6.5), (90, -26, 62, 5)),
        _tube((22, -12, 98, 7), (44, 14, 92, 6.5), (66, 42, 60, 5)),
        _tube((22, -10, 98, 7), (4, 22, 90, 6), (-24, 40, 80, 5)),
        _tube((34, 4, 46, 8), (64, 0, 44, 7), (96, -8, 30, 5.5)),
        _tube((34, 4, 46, 8), (30, 30, 66, 6.5), (2, 44, 74, 5)),
        group="liver",
        onto=("liver",),
        loose=3,
    )


def _bowel() -> Iterator[Organ]:
    rectum = _tube((6, -46, -118, 14), (0, -54, -142, 18), (0, -44, -176, 20), (0, -34, -222, 12))
    yield _organ("rectum", rectum, group="pelvis", loose=2)
    colon = _tube(
        (78, 24, -112, 22), (88, 12, -92, 25), (98, -6, -54, 21), (98, 2, -24, 20),
        (80, 40, -28, 18), (42, 62, -40, 18), (0, 66, -48, 17), (-44, 64, -26, 17),
        (-86, 30, 4, 17), (-104, 2, 14, 16), (-104, -16, -28, 15), (-98, -12, -76, 14),
        (-78, 14, -112, 14), (-40, 8, -128, 15), (-14, 18, -108, 15), (10, -18, -108, 14),
        (6, -46, -118, 14),
    )  # fmt: skip
    yield _organ("colon", colon, loose=7)
    rows = ((-68, 36, -22), (-72, 20, -50), (-64, 42, -66), (-60, 16, -88), (-50, 44, -98))
    loops: list[Node] = []
    for turn, (x, y, z) in enumerate(rows):
        row = [(x + 33.0 * step, y + 12.0 * (step % 2), z - 5.0 * step, 14.0) for step in range(5)]
        loops += row[::-1] if turn % 2 else row
    yield _organ("intestine", _tube(*loops, steps=2), loose=8)


def _chest() -> Iterator[Organ]:
    yield _organ("heart", Ellipsoid((-16, 28, 158), (54, 44, 38), rotation(0, 0.2, -0.2)))
    for name, side, depth in (("left", -1, 100), ("right", 1, 105)):
        lung = Ellipsoid((side * 66, -8, 160), (54, 74, depth))
        yield _organ(f"lung_{name}", lung, group="lungs", vary=0.05)
