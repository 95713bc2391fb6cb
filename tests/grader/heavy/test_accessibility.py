"""What people read can be read by all: axe finds nothing serious on the report, a student's pages, and the handout.

Needs Chromium, playwright and npm, which fetches the one file of axe that is checked against its hash.
"""

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tarfile

import pytest

from tests.grader.support import ROOT, SUBMISSIONS

pytestmark = pytest.mark.filterwarnings("default")

AXE = "axe-core@4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
STYLE = (
    "body { max-width: 46rem; margin: auto } img { max-width: 100% } code { overflow-wrap: anywhere } "
    "pre { white-space: pre-wrap } table { table-layout: fixed; width: 100% }"
)


@pytest.fixture(scope="module")
def axe(tmp_path_factory):
    """The script that looks for faults, for a page to run."""
    if shutil.which("npm") is None:
        pytest.skip("no npm on the PATH: on Debian, `apt install npm`")
    folder = tmp_path_factory.mktemp("axe")
    packed = subprocess.run(["npm", "pack", AXE], cwd=folder, capture_output=True, encoding="utf-8", check=False)
    if packed.returncode != 0:
        pytest.skip(f"npm could not fetch {AXE}: {packed.stderr.strip()[-200:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        script = archive.extractfile("package/axe.min.js")
        assert script is not None
        text = script.read()
    assert hashlib.sha256(text).hexdigest() == SHA256
    return text.decode("utf-8")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The report of a class, what a student reads in it, and the handout as a web page."""
    folder = tmp_path_factory.mktemp("pages")
    for name in ("padding-crop-zero", "syntax-error"):
        shutil.copytree(SUBMISSIONS / "sample" / name, folder / "class" / name)
    command = [sys.executable, "-m", "autograder", "grade", str(folder / "class"), "--out", str(folder / "results")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    made = sorted((folder / "results").rglob("*.html"))
    assert len(made) == 3
    markdown = pytest.importorskip("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")
    for name in ("README", "POLICY"):
        body = markdown.render((ROOT / "assignment" / f"{name}.md").read_text(encoding="utf-8"))
        head = f'<html lang="en"><meta charset="utf-8"><title>{name}</title><base href="{ROOT.as_uri()}/assignment/">'
        made.append(folder / f"{name}.html")
        made[-1].write_text(f"<!DOCTYPE html>{head}<style>{STYLE}</style><main>{body}</main>", encoding="utf-8")
    return made


def test_nothing_serious_is_found(axe, pages):
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: `make test-all` does")
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on the PATH: on Debian, `apt install chromium`")
    found = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for path in pages:
            for scheme in ("light", "dark"):
                for width in (375, 1200):
                    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
                    page.goto(path.as_uri())
                    page.evaluate(f"{axe}; 0")
                    said = page.evaluate("axe.run(document)")
                    assert len(said["passes"]) >= 10
                    found += [
                        (path.name, scheme, width, fault["id"], node["html"][:200])
                        for fault in said["violations"]
                        if fault["impact"] in ("serious", "critical", "moderate")
                        for node in fault["nodes"]
                    ]
                    page.close()
        browser.close()
    assert found == []
