from voxbench.reporting.people import arm_names, duration, labelled


def told(*labels: str) -> list[str]:
    return [str(name) for name in arm_names(labels).values()]


def test_an_arm_is_named_by_strategy_and_source():
    assert told("masked-autoencoder[size=tiny,source=malf,volumes=28]") == [
        "Masked autoencoder on malf, 28 volumes"
    ]
    assert told("supervised[label_noise=0.3,source=atlas]") == [
        "Supervised on atlas, label noise 0.3"
    ]


def test_strategies_are_spelt_as_their_authors_do():
    names = ["Swin UNETR SSL", "ImageNet EfficientNet", "STU-Net", "SuPreM U-Net"]
    assert told("swin-unetr-ssl", "imagenet-efficientnet", "stu-net", "suprem-unet") == names
    assert told("volume-contrast[crop=16,source=acdc]") == ["Volume contrast on acdc, crop 16"]


def test_network_and_weights_are_told_where_arms_have_the_rest_in_common():
    assert told("scratch[size=tiny]", "scratch[size=small]") == ["Scratch tiny", "Scratch small"]
    assert told("scratch[size=tiny]", "obelisk[weights=a]") == ["Scratch", "OBELISK"]


def test_no_two_arms_share_a_name_and_strangers_keep_theirs():
    assert told("a[b=1]", "a[b=1]#x", "A") == ["A b 1", "A b 1, #x", "A"]
    assert told("nnU-Net_U-Net", "[x", "a b", "") == ["nnU-Net_U-Net", "[x", "a b", ""]
    assert len(set(told("a", "A"))) == 2


def test_fractions_and_hours_are_told_as_people_do():
    assert [labelled(f) for f in ("3 shots", "1 shot", "100%", "5%", "suprem-64")] == [
        "3 patients", "1 patient", "all patients", "5% of the patients",
        "the patients of suprem-64",
    ]  # fmt: skip
    assert duration(0.05, 0) == "3 CPU min"
    assert duration(0.001, 1.5) == "4 CPU s + 1.5 GPU h"
    assert duration(0, 0) == ""
