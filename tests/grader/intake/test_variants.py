"""A name that is almost right gets the reason and the remedy, wherever the file lies."""

import pytest

from autograder.intake.variants import is_python, mistaken
from tests.grader.support.handins import CODE, make_folder, make_zip

CAUSES = {
    "layers.py ": "it ends in a space",
    "layers.py\u00a0": "it ends in a space",
    " layers.py": "it begins with a space",
    "layers .py": "there is a space before .py",
    "layers.py\u200b": "there is a character in it that nobody sees, U+200B",
    "\ufefflayers.py": "there is a character in it that nobody sees, U+FEFF",
    "lay\u00aders.py": "there is a character in it that nobody sees, U+00AD",
    "layers.py\r": "there is a character in it that nobody sees, U+000D",
    "layers.py.txt": "an editor has added .txt, which Windows and macOS do not show",
    "Layers.py.TXT": "an editor has added .txt, which Windows and macOS do not show",
    "layers.py.py": "the suffix is there twice",
    "layers (1).py": "a browser adds a number to a second download",
    "layers(2).py": "a browser adds a number to a second download",
    "layers [3].py": "a browser adds a number to a second download",
    "layers-1.py": "a number was added to a second upload or version",
    "layers_2.py": "a number was added to a second upload or version",
    "layers_v2.py": "a number was added to a second upload or version",
    "layersv10.py": "a number was added to a second upload or version",
    "layers-final-2.py": "a number was added to a second upload or version",
    "layers_final.py": "a word was added to a second version",
    "Layers new.py": "a word was added to a second version",
    "layers (Ann Lee's conflicted copy 2026-10-01).py": "a synchronised folder has added to it",
    "layers copy.py": "it is the name of a copy",
    "layers - Copy.py": "it is the name of a copy",
    "layers - Copy (2).py": "it is the name of a copy",
    "Copy of layers.py": "it is the name of a copy",
    "layers.py~": "it is the name of a backup or of half a file",
    "layers.py.bak": "it is the name of a backup or of half a file",
    "layers": "it has no suffix .py",
    "ｌａｙｅｒｓ.py": "its letters only look like those of it",
    "l\u0430yers.py": "\u0430 (U+0430) only looks like a letter of it",
    "layer.py": "it is misspelt",
    "layres.py": "it is misspelt",
}
FOLDER = "the submission contains {}, but the name must be exactly layers.py: {}. Rename the file."


@pytest.mark.parametrize(("name", "cause"), CAUSES.items())
def test_the_cause_is_named(name, cause):
    assert mistaken(name, "layers.py") == cause


@pytest.mark.parametrize(("name", "cause"), CAUSES.items())
def test_in_a_folder_and_in_a_zip(tmp_path, refusal, name, cause):
    folder = make_folder(tmp_path / "hw", [(f"src/{name}", CODE), ("notes.txt", b"")])
    shown = refusal(folder)
    assert shown.startswith("the submission contains src/")
    assert shown.endswith(f", but the name must be exactly layers.py: {cause}. Rename the file.")
    zipped = refusal(make_zip(tmp_path / "hw.zip", [(f"src/{name}", CODE), ("notes.txt", b"")]))
    assert zipped == shown.replace("the submission", "hw.zip", 1)


@pytest.mark.parametrize(
    "name",
    ["layers.py", "main.py", "notes.txt", "layers.ipynb", "layers.zip", "conv.py", "", ".", "l", "a" * 999],
)
def test_another_name_is_no_mistake(name):
    assert mistaken(name, "layers.py") == ""


def test_several_of_them(tmp_path, refusal):
    folder = make_folder(tmp_path / "hw", [("layers (1).py", CODE), ("layers (2).py", CODE)])
    assert refusal(folder) == (
        "the submission contains layers (1).py, layers (2).py, but the name must be exactly layers.py: a browser adds "
        "a number to a second download. Keep the one to be graded and rename it."
    )


@pytest.mark.parametrize("name", ["layers.py ", "layers.py\u200b", "Ann .PY"])
def test_alone_it_is_taken_and_said(tmp_path, read, name):
    (tmp_path / name).write_bytes(CODE)
    taken = read(tmp_path / name)
    assert taken.files == ("layers.py",)
    assert len(taken.notes) == 1
    assert is_python(name)


@pytest.mark.parametrize("name", ["layers.py.txt", "layers.py~", "layers"])
def test_alone_without_the_suffix_it_is_refused(tmp_path, refusal, name):
    (tmp_path / name).write_bytes(CODE)
    assert refusal(tmp_path / name) == f"{name} should be called layers.py: {CAUSES[name]}. Rename the file."


OTHERS = {
    "layers (1).py": True,
    "layers-2.py": True,
    "layers - Copy.py": True,
    "layers_v2.py": False,  # a module, which may be meant
    "layer.py": False,
    "tools-1.py": False,
    "layers.py.bak": False,
}


@pytest.mark.parametrize(("name", "said"), OTHERS.items())
def test_another_version_beside_the_file_is_said(tmp_path, read, name, said):
    found = read(make_folder(tmp_path / "hw", [("layers.py", CODE), (name, b"x = 1")]))
    note = f"layers.py was taken; not used, although maybe another version: {name}."
    assert found.notes == ((note,) if said else ())
