"""The notebook as a student meets it: built, run with the starter, then with the model answer, and handed in.

Needs otter and Jupyter (and one test a browser), so it runs in `make test-all` only.
"""

import importlib.util
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
import zipfile
from types import SimpleNamespace

import pytest

from autograder.authoring import handout, starter
from autograder.core import config
from tests.grader.support import ROOT

pytestmark = [pytest.mark.heavy, pytest.mark.filterwarnings("default")]  # other people's warnings are not ours

if importlib.util.find_spec("otter") is None:
    pytest.skip("otter-grader is not installed: `make test-all` installs it", allow_module_level=True)

CONFIG = ROOT / "config.yaml"
ASSIGNMENT = ROOT / "assignment"
ANSWER = (ROOT / "solutions" / "layers.py").read_text(encoding="utf-8")
SETTINGS = config.load(CONFIG)
FUNCTIONS = list(SETTINGS.homework.functions)
PUBLIC = starter.sources_of_tests(SETTINGS.homework.public_tests)
PUBLIC_POINTS = float(sum(SETTINGS.tests[name].points for name in PUBLIC))


def test_building_it_again_gives_the_same_bytes(tmp_path):
    start = time.perf_counter()
    written = handout.write(CONFIG, tmp_path)
    print(f"built in {time.perf_counter() - start:.0f} s")
    for path in written:
        assert path.read_bytes() == (ASSIGNMENT / path.relative_to(tmp_path)).read_bytes(), path.name
    assert handout.stale(CONFIG, tmp_path) == []


def test_a_cell_that_fails_is_not_handed_out(tmp_path):
    from autograder.authoring import notebook
    from autograder.core.errors import ConfigurationError

    source = tmp_path / "conv_pool.py"
    text = (ROOT / "solutions" / "conv_pool.py").read_text(encoding="utf-8")
    source.write_text(text.replace("scene = draw_scene()", "scene = draw_scene() / nothing", 1), encoding="utf-8")
    tests: dict[str, dict[str, str]] = {}
    for name, test in PUBLIC.items():
        tests.setdefault(SETTINGS.subject(name) or "", {})[name] = test
    with pytest.raises(ConfigurationError, match=r"(?s)was refused by otter assign:.*NameError: name 'nothing' is not"):
        notebook.make_notebook(
            source, tests, [SETTINGS.homework.solution, ASSIGNMENT / "lenet.py", ASSIGNMENT / "conftest.py"]
        )


# --- the same checks in otter and in pytest --------------------------------------------------------------------------

FLAWS = {
    "none": ("return", "return"),
    "nothing written": None,
    "output size one too large": ("// stride + 1", "// stride + 2"),
    "columns pixel by pixel": (
        "return cols.reshape(C * KH * KW, N * OH * OW)",
        "return cols.transpose(0, 1, 2, 4, 5, 3).reshape(C * KH * KW, N * OH * OW)",
    ),
    "assigned, not added": ("padded[:, :, rows, columns] +=", "padded[:, :, rows, columns] ="),
    "no bias": ("out += b[:, np.newaxis]", "pass"),
    "db is a mean": ("dout_matrix.sum(axis=1)", "dout_matrix.mean(axis=1)"),
    "dw transposed": ("(dout_matrix @ cols.T).reshape(w.shape)", "(dout_matrix @ cols.T).reshape(w.shape)[..., ::-1]"),
    "last maximum": ("pixels > out]", "pixels >= out]"),
    "max pool assigns": ("+= dout * (winner", "= dout * (winner"),
    "average not divided": ("out /= KH * KW", "pass"),
    "average backward not divided": ("share = dout / (KH * KW)", "share = dout"),
}


def flawed(name):
    change = FLAWS[name]
    if change is None:
        return (ASSIGNMENT / "layers.py").read_text(encoding="utf-8")
    assert change[0] in ANSWER
    return ANSWER.replace(*change)


@pytest.mark.parametrize("name", FLAWS)
def test_otter_and_pytest_agree(name, tmp_path):
    import nbformat
    from otter.execute import Checker
    from otter.nbmeta_config import NBMetadataConfig

    source = flawed(name)
    namespace: dict[str, object] = {"__name__": "layers"}
    exec(compile(source, "layers.py", "exec"), namespace)
    path = str(ASSIGNMENT / "conv_pool.ipynb")
    metadata = NBMetadataConfig.from_notebook(nbformat.read(path, nbformat.NO_CONVERT))
    by_otter = []
    for function in FUNCTIONS:
        checked = Checker.check(path, metadata, function, {"layers": SimpleNamespace(**namespace)})
        by_otter += [result.passed for result in checked.test_case_results]

    for file in ("layers.py", "test_public.py"):
        shutil.copy(ASSIGNMENT / file, tmp_path)
    (tmp_path / "layers.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", "-rA", "-q", "test_public.py"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", check=False).stdout
    lines = re.findall(r"^(PASSED|FAILED) test_public\.py::(\w+)", said, re.MULTILINE)
    outcomes = {test: outcome == "PASSED" for outcome, test in lines}
    questions = [test for function in FUNCTIONS for test in PUBLIC if SETTINGS.subject(test) == function]
    assert by_otter == [outcomes[test] for test in questions]
    assert len(outcomes) == len(PUBLIC)
    assert all(by_otter) == (name == "none")


# --- a session -------------------------------------------------------------------------------------------------------


def first_of(function):
    """The first function that its check calls: there is no backward pass without a forward pass."""
    return function.replace("backward", "forward")


class Session:
    """The notebook in a live kernel, in a folder of its own; `layers.py` changes under its feet."""

    def __init__(self, folder):
        import nbformat
        from nbclient import NotebookClient

        self.folder = folder
        self.notebook = nbformat.read(folder / "conv_pool.ipynb", as_version=4)
        self.client = NotebookClient(
            self.notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
        )

    def __enter__(self):
        self._kernel = self.client.setup_kernel()
        self._kernel.__enter__()
        return self

    def __exit__(self, *what):
        self._kernel.__exit__(*what)

    def run(self, wanted=""):
        """Run the code cell that is this text, or all of them; return all that they said."""
        said = []
        for number, cell in enumerate(self.notebook.cells):
            if cell.cell_type == "code" and wanted in ("", cell.source.strip()):
                self.client.execute_cell(cell, number)
                said += [
                    str(output.get("text") or output.get("data", {}).get("text/plain", "")) for output in cell.outputs
                ]
        return "\n".join(said)

    def check(self, function):
        return self.run(f'grader.check("{function}")')

    def write(self, source, name="layers.py"):
        (self.folder / name).write_text(source, encoding="utf-8")


@pytest.fixture
def unpacked(tmp_path):
    archive = handout.pack(CONFIG, ASSIGNMENT, tmp_path / "handout.zip")
    with zipfile.ZipFile(archive) as contents:
        contents.extractall(tmp_path)
    return tmp_path / "handout"


def test_a_student_goes_through_it_without_a_restart(unpacked, tmp_path):
    with Session(unpacked) as session:
        said = session.run()  # the whole notebook, with the starter: no cell raises
        for function in FUNCTIONS:
            assert f"NotImplementedError: {first_of(function)} is not implemented yet" in session.check(function)
        assert "Not yet: conv2d_forward is not implemented yet. Write it in layers.py, save" in said
        assert "checks passed" not in said
        assert re.search(
            r"Ready\. layers\.py, saved .*: 0 of 9 functions are written; next is conv_output_size\.", said
        )
        assert f"Public score: 0 of {PUBLIC_POINTS:g} points; hidden tests decide about the other" in said
        assert re.search(r"conv2d_forward +0 of 2   fails: example, rectangle, images, promises\n", said)

        session.write(ANSWER)
        for function in FUNCTIONS:
            assert re.fullmatch(rf"{function}: all \d checks passed", session.check(function))

        # Python cannot read it: nothing old passes in its place.
        session.write(ANSWER.replace("return (size + 2 * padding", "return ((size + 2 * padding"))
        said = session.check("im2col")
        assert re.search(
            r"ImportError: layers\.py cannot be imported, see line \d+ of layers\.py: SyntaxError: '\(' was", said
        )
        session.write("import numpyy\n")
        assert "see line 1 of layers.py: ModuleNotFoundError: No module named 'numpyy" in session.check("im2col")
        session.write("from helper import *\n")
        session.write(ANSWER.replace("// stride + 1", "// stride + 2"), "helper.py")
        said = session.check("conv_output_size")
        assert "1 of 1 checks failed\nsize=4, but should be 3" in said
        assert "your function: helper.py, line " in said
        session.write(ANSWER, "helper.py")  # only the module beside it changes
        assert "all 1 checks passed" in session.check("conv_output_size")

        said = session.run()
        assert said.count("checks passed") == len(FUNCTIONS)
        assert "layers.py, saved today at " in said
        assert "9 of 9 functions are written." in said
        scores = re.findall(r"^(\w+) +([\d.]+) of ([\d.]+)$", said, re.MULTILINE)
        assert [name for name, _, _ in scores] == FUNCTIONS
        assert all(own == best for _, own, best in scores)
        assert f"Public score: {PUBLIC_POINTS:g} of {PUBLIC_POINTS:g} points; hidden" in said
        assert f"Public score of what is packed: {PUBLIC_POINTS:g} of {PUBLIC_POINTS:g} points" in said
        assert re.search(r"Packed: helper\.py, saved .*; layers\.py, saved today at \d\d:\d\d\n", said)
        assert "Not yet" not in said
        (accuracy,) = re.findall(r"right on ([\d.]+)% of 1000 digits", said)
        assert float(accuracy) >= 93
        (first,) = re.findall(r"1\. first loss: ([\d.]+)", said)
        assert abs(float(first) - 2.3) < 0.2
        assert "they differ" not in said
        (by_heart,) = re.findall(r"ten digits by heart: the loss goes from [\d.]+ to ([\d.]+)", said)
        assert float(by_heart) < 0.01
        images = [cell for cell in session.notebook.cells if "image/png" in json.dumps(cell.get("outputs", []))]
        assert len(images) >= 7

    exported = sorted(unpacked.glob("conv_pool_*.zip"))[-1]
    with zipfile.ZipFile(exported) as contents:
        assert sorted(name for name in contents.namelist() if name.endswith(".py")) == ["helper.py", "layers.py"]
    command = [sys.executable, "-m", "autograder", "grade", str(exported), "--out", str(tmp_path / "results")]
    graded = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    (results,) = (tmp_path / "results").rglob("results.json")
    assert json.loads(results.read_text())["score"] == SETTINGS.total_points, graded.stdout


# --- a browser -------------------------------------------------------------------------------------------------------


@pytest.fixture
def lab(unpacked):
    """JupyterLab on the unpacked handout; gives its address."""
    if importlib.util.find_spec("jupyterlab") is None:
        pytest.skip("JupyterLab is not installed: `make test-all` installs it")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    server = subprocess.Popen(
        [*command, "--IdentityProvider.token=", f"--ServerApp.root_dir={unpacked}"],
        cwd=unpacked,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api", timeout=5).close()
                break
            except OSError:
                assert server.poll() is None
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/lab/tree/conv_pool.ipynb"
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def page(lab):
    """A page of a headless Chromium, with the notebook open."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: `make test-all` does")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on the PATH: on Debian, `apt install chromium`")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 1000})
        page.goto(lab)
        page.wait_for_selector(".jp-Notebook .jp-CodeCell", timeout=120_000)
        # Asked to run before its kernel is there, JupyterLab asks which kernel to start.
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=120_000)
        yield page
        browser.close()


def run_all(page, file):
    """Run all cells, save until the outputs of the last one are on the disk, and return all outputs."""

    def saved():
        try:
            return [
                cell for cell in json.loads(file.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code"
            ]
        except ValueError:  # it is being written
            return []

    before = saved()[-1]["execution_count"] or 0
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    status = page.locator(".jp-Notebook-ExecutionIndicator").first
    for _ in range(200):
        page.wait_for_timeout(3000)
        if status.get_attribute("data-status") != "idle":
            continue
        page.keyboard.press("Control+s")
        page.wait_for_timeout(1000)
        cells = saved()
        if cells and (cells[-1]["execution_count"] or 0) > before and cells[-1]["outputs"]:
            return json.dumps([cell["outputs"] for cell in cells])
    raise AssertionError("the notebook did not run through")


def test_it_works_in_a_browser(page, unpacked):
    file = unpacked / "conv_pool.ipynb"
    said = run_all(page, file)
    assert all(said.count(f"NotImplementedError: {first_of(function)} is not") >= 2 for function in FUNCTIONS)
    assert '"output_type": "error"' not in said

    (unpacked / "layers.py").write_text(ANSWER, encoding="utf-8")
    said = run_all(page, file)
    page.screenshot(path=unpacked.parent / "notebook.png")
    assert len(re.findall(r"\w+: all \d checks passed", said)) >= len(FUNCTIONS)
    assert '"output_type": "error"' not in said
    assert "of 1000 digits that it has never seen" in said
    assert len(list(unpacked.glob("conv_pool_*.zip"))) == 2
