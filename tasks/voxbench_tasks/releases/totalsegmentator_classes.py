"""The structures of TotalSegmentator in the order of its class maps; see `totalsegmentator`."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _pairs(text: str) -> tuple[str, ...]:
    return tuple(f"{name}_{side}" for name in text.split() for side in ("left", "right"))


_ORGANS = _words("""
    spleen kidney_right kidney_left gallbladder liver stomach aorta inferior_vena_cava
    portal_vein_and_splenic_vein pancreas adrenal_gland_right adrenal_gland_left
    lung_upper_lobe_left lung_lower_lobe_left
    lung_upper_lobe_right lung_middle_lobe_right lung_lower_lobe_right
""")
_VERTEBRAE = tuple(
    f"vertebrae_{part}{number}"
    for part, last in (("L", 5), ("T", 12), ("C", 7))
    for number in range(last, 0, -1)
)
_CARDIAC = _words("""
    esophagus trachea heart_myocardium heart_atrium_left heart_ventricle_left heart_atrium_right
    heart_ventricle_right pulmonary_artery brain iliac_artery_left iliac_artery_right
    iliac_vena_left iliac_vena_right small_bowel duodenum colon urinary_bladder face
""")
_BONES = _pairs("humerus scapula clavicula femur hip")
_SOFT = _pairs("gluteus_maximus gluteus_medius gluteus_minimus autochthon iliopsoas")
_RIBS = tuple(f"rib_{side}_{number}" for side in ("left", "right") for number in range(1, 13))

GROUPS = {
    "organs": _ORGANS,
    "muscles": (*_BONES, "sacrum", *_SOFT),
    "cardiac": _CARDIAC,
    "vertebrae": _VERTEBRAE,
    "ribs": _RIBS,
}
"""SuPreM's five groups, which part the 104 structures of version 1."""

V1 = (
    *(*_ORGANS, *_VERTEBRAE, *_CARDIAC[:-2], *_RIBS),
    *(*_BONES, "sacrum", "face", *_SOFT, "urinary_bladder"),
)
V2 = (
    *(*_ORGANS[:6], *_ORGANS[9:], "esophagus", "trachea"),
    *_words("thyroid_gland small_bowel duodenum colon urinary_bladder prostate"),
    *(*_pairs("kidney_cyst"), "sacrum", "vertebrae_S1", *_VERTEBRAE),
    *_words("heart aorta pulmonary_vein brachiocephalic_trunk"),
    *_words("subclavian_artery_right subclavian_artery_left"),
    *_words("common_carotid_artery_right common_carotid_artery_left"),
    *(*_pairs("brachiocephalic_vein"), "atrial_appendage_left"),
    *_words("superior_vena_cava inferior_vena_cava portal_vein_and_splenic_vein"),
    *(*_pairs("iliac_artery iliac_vena"), *_BONES, "spinal_cord", *_SOFT),
    *("brain", "skull", *_RIBS, "sternum", "costal_cartilages"),
)
