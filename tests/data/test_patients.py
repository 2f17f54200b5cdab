"""Who is who: in whichever table it stands, however that writes its cases."""

import json

import pytest
from voxbench.data.patients import UnsettledPatientsError, find_patients
from voxbench.errors import DataError

CASES = [f"scan_{number:03}" for number in range(6)]
PEOPLE = {case: f"p{number // 2}" for number, case in enumerate(CASES)}
VISITS = [f"{name}_{visit}" for name in ("ann", "bob", "cem") for visit in ("v1", "v2")]
PREFIX = {case: case[:3] for case in VISITS}


def csv(header, rows, delimiter=","):
    return "\n".join(delimiter.join(row) for row in [header, *rows])


def rows(form="{}"):
    return [[form.format(case), person] for case, person in PEOPLE.items()]


TABLES = {
    "dataset.json": json.dumps({"patients": PEOPLE}),
    "patients.json": json.dumps({f"{case}.nii.gz": person for case, person in PEOPLE.items()}),
    "about.json": json.dumps({"same_person": [CASES[0:2], CASES[2:4], CASES[4:6]]}),
    "meta.csv": csv(["image_id", "Patient_ID"], rows("{}.nii"), ";"),
    "metadata.csv": csv(["subject", "file"], [row[::-1] for row in rows("img/{}_0000.nii.gz")]),
    "patients.csv": csv(["case", "PatientID"], [[str(n), row[1]] for n, row in enumerate(rows())]),
    "participants.tsv": csv(["scan name", "participant id"], rows(), "\t"),
    "subjects.csv": csv(["age", "id", "subject"], [["7", *row] for row in rows()]),
    "Participants.CSV": csv(["case", "patient"], rows()),
    "clinical.csv": csv(["case", "patient"], rows()),
}


@pytest.mark.parametrize("file", TABLES)
def test_every_usual_table_says_who_is_who(tmp_path, file):
    (tmp_path / file).write_text(TABLES[file])
    found = find_patients(tmp_path, CASES)
    assert [found.of[case] == found.of[CASES[0]] for case in CASES] == [True, True, *[False] * 4]
    assert len(set(found.of.values())) == 3
    assert found.told.startswith("3 by ")
    assert file in found.told
    assert "names 6 of 6 cases" in found.told


def test_people_with_lists_of_cases_and_rows_of_people_do_too(tmp_path):
    (tmp_path / "patients.json").write_text(json.dumps({"x": CASES[:3], "y": CASES[3:]}))
    assert find_patients(tmp_path, CASES).of == {c: "x" if c in CASES[:3] else "y" for c in CASES}
    scans = [f"sub-{n:02}_ses-{k}" for n in range(1, 4) for k in (1, 2)]
    bids = tmp_path / "bids"
    bids.mkdir()
    people = [[f"sub-{n:02}", "40"] for n in range(1, 4)]
    (bids / "participants.tsv").write_text(csv(["participant_id", "age"], people, "\t"))
    assert find_patients(bids, scans).of == {scan: scan[:6] for scan in scans}


def test_entries_of_dataset_json_may_name_people(tmp_path):
    entries = [{"image": f"./imagesTr/{c}.nii.gz", "patient_id": p} for c, p in PEOPLE.items()]
    (tmp_path / "dataset.json").write_text(json.dumps({"training": entries[:4], "test": ["x"]}))
    found = find_patients(tmp_path, CASES)
    assert found.of == {**dict(list(PEOPLE.items())[:4]), CASES[4]: CASES[4], CASES[5]: CASES[5]}
    assert "the entries of dataset.json, which names 4 of 6 cases" in found.told


def test_the_first_table_that_names_people_counts(tmp_path):
    (tmp_path / "meta.csv").write_text(csv(["case", "patient"], rows()))
    (tmp_path / "dataset.json").write_text(json.dumps({"labels": {"a": 1}}))
    (tmp_path / "patients.csv").write_text(csv(["case", "institute"], rows()))
    assert find_patients(tmp_path, CASES).of == PEOPLE


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("dataset.json", json.dumps({"patients": {"x": "p", "y": "p"}})),
        ("patients.json", json.dumps({"x": "p"})),
        ("about.json", json.dumps({"same_person": [["x", "y"]]})),
        ("meta.csv", csv(["case", "patient"], [["x", "p"], ["y", "q"]])),
    ],
)
def test_a_table_that_names_no_case_is_refused_with_both_their_names(tmp_path, file, content):
    (tmp_path / file).write_text(content)
    with pytest.raises(DataError, match=r"names none of the cases: it has x.*cases are scan_000"):
        find_patients(tmp_path, CASES)


def test_cases_that_a_table_leaves_out_are_told(tmp_path):
    (tmp_path / "meta.csv").write_text(csv(["case", "patient"], [*rows()[:4], ["scan_004", "n/a"]]))
    found = find_patients(tmp_path, CASES)
    assert found.of == {**PEOPLE, "scan_004": "scan_004", "scan_005": "scan_005"}
    assert "names 4 of 6 cases; each other counts as one: scan_004, scan_005" in found.told


def test_an_empty_cell_is_no_person(tmp_path):
    (tmp_path / "meta.csv").write_text("case,age,patient\nscan_000,3,\nscan_001,4\nscan_002,5, ")
    found = find_patients(tmp_path, CASES)
    assert found.of == {case: case for case in CASES}
    assert "meta.csv has no column of persons, or an empty one" in found.told


def test_a_case_of_two_people_is_refused(tmp_path):
    (tmp_path / "meta.csv").write_text(csv(["case", "patient"], [*rows(), ["scan_005.nii", "p9"]]))
    with pytest.raises(DataError, match="scan_005 is p2, p9; it can be one only"):
        find_patients(tmp_path, CASES)


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("dataset.json", {"patients": ["a"]}, "patients: expected"),
        ("patients.json", {"scan_000": {"id": 1}}, "patients: expected"),
        ("about.json", {"same_person": {"a": "b"}}, "same_person: expected"),
    ],
)
def test_a_table_that_is_none_is_one_clear_line(tmp_path, file, content, says):
    (tmp_path / file).write_text(json.dumps(content))
    with pytest.raises(DataError, match=rf"{file}: .*{says}"):
        find_patients(tmp_path, CASES)


def test_names_that_look_grouped_must_be_settled_in_writing(tmp_path):
    with pytest.raises(UnsettledPatientsError, match=r"3 prefixes .*: are these patients\?"):
        find_patients(tmp_path, VISITS)
    assert find_patients(tmp_path, VISITS, "prefix").of == PREFIX
    assert find_patients(tmp_path, VISITS, "case").of == {case: case for case in VISITS}
    with pytest.raises(DataError, match="no names of cases look grouped"):
        find_patients(tmp_path, CASES, "prefix")


def test_a_table_that_leaves_out_a_visit_does_not_part_it_from_the_others(tmp_path):
    (tmp_path / "patients.json").write_text(json.dumps({case: case[:3] for case in VISITS[:-1]}))
    with pytest.raises(UnsettledPatientsError, match="names 5 of 6 cases, but not cem_v2"):
        find_patients(tmp_path, VISITS)


def test_what_the_sweep_says_counts_before_what_lies_there(tmp_path):
    (tmp_path / "meta.csv").write_text(csv(["case", "patient"], rows()))
    assert find_patients(tmp_path, CASES, "case").of == {case: case for case in CASES}
    other = csv(["case", "patient"], [[case, "same"] for case in CASES])
    (tmp_path / "who.csv").write_text(other)
    assert set(find_patients(tmp_path, CASES, "who.csv").of.values()) == {"same"}
    assert find_patients(tmp_path, CASES, str(tmp_path / "who.csv")).told.startswith("1 by ")
    (tmp_path / "who.json").write_text(json.dumps(PEOPLE))
    assert find_patients(tmp_path, CASES, "who.json").of == PEOPLE
    with pytest.raises(DataError, match=r'prefixes: no such file; `patients` is "prefix", "case"'):
        find_patients(tmp_path, CASES, "prefixes")
    (tmp_path / "who.csv").write_text("case,age\nscan_000,3\n")
    with pytest.raises(DataError, match=r"who\.csv: names no persons"):
        find_patients(tmp_path, CASES, "who.csv")


def test_names_of_a_table_that_are_no_case_are_counted(tmp_path):
    (tmp_path / "meta.csv").write_text(csv(["case", "patient"], [*rows(), ["scan_900", "p9"]]))
    assert find_patients(tmp_path, CASES).told.endswith(
        "6 of 6 cases; 1 that it names are not here"
    )
    (tmp_path / "meta.csv").write_text(
        csv(["participant_id"], [["ann"], ["bob"], ["cem"], ["dee"]])
    )
    assert find_patients(tmp_path, VISITS).told.endswith("; 1 that it names are not here")


def test_files_that_say_nothing_of_people_are_told(tmp_path):
    (tmp_path / "clinical.csv").write_text(csv(["case", "patient"], [["x", "p"], ["y", "p"]]))
    (tmp_path / "scans.tsv").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "participants.xlsx").write_bytes(b"PK")
    assert find_patients(tmp_path, CASES).told == (
        "each case counts as one; nothing says who is who (clinical.csv has persons, but names "
        "none of the cases; scans.tsv is no table; participants.xlsx is a spreadsheet: save it as "
        "CSV)"
    )


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("patients.csv", csv(["case", "patient"], [[str(n + 1), f"p{n // 2}"] for n in range(8)])),
        ("clinic.csv", csv(["case", "patient"], [[str(n + 1), f"p{n // 2}"] for n in range(8)])),
        ("patients.json", json.dumps({str(n + 1): f"p{n // 2}" for n in range(8)})),
        (
            "patients.json",
            json.dumps({f"p{k}": [str(2 * k + 1), str(2 * k + 2)] for k in range(4)}),
        ),
        ("dataset.json", json.dumps({"patients": {str(n + 1): n // 2 for n in range(8)}})),
        ("about.json", json.dumps({"same_person": [["1", "2", "3", "4"], ["5", "6", "7", "8"]]})),
    ],
)
@pytest.mark.parametrize("form", ["{}", "{:03}", "scan_{:03}"])
def test_a_table_that_counts_from_1_beside_cases_from_0_is_refused(tmp_path, file, content, form):
    (tmp_path / file).write_text(content)
    with pytest.raises(DataError, match=rf"{file}.*from 1 to 8, .* from 0 to 7.*Write the ids"):
        find_patients(tmp_path, [form.format(number) for number in range(8)])
