"""The pictures of the handout: right numbers, and readable on a phone, in the dark, without colours, without eyes."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from solutions import layers, pictures
from tests.grader.support import ROOT

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = pictures.draw()
ASSIGNMENT = ROOT / "assignment"
ON_A_PHONE = 343
"""Pixels that a picture gets on a screen of 375."""


def texts(name):
    return [element.text for element in ElementTree.fromstring(DRAWN[name]).iter(f"{SVG}text")]


def numbers(name):
    return [text for text in texts(name) if re.fullmatch(r"−?[\d.]+", text)]


def follows(sought, found):
    """Whether the sought numbers stand side by side among those found."""
    wanted = [f"{number:g}".replace("-", "−") for number in np.ravel(sought)]
    return any(found[start : start + len(wanted)] == wanted for start in range(len(found)))


# --- the numbers -----------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_columns_are_the_layers_own():
    x = np.arange(1, 49).reshape(1, 3, 4, 4)
    assert follows(layers.im2col(x, (2, 2)), numbers("im2col.svg"))
    cols = np.arange(1, 17).reshape(4, 4)
    assert follows(layers.col2im(cols, (1, 1, 3, 3), (2, 2)), numbers("col2im.svg"))
    assert "13+10+7+4" in texts("col2im.svg")


def test_the_numbers_of_the_convolution_are_the_layers_own():
    x, w = pictures.X[None, None].astype(float), pictures.W[None, None].astype(float)
    out, _ = layers.conv2d_forward(x, w, np.array([float(pictures.BIAS)]))
    assert follows(out, numbers("conv_forward.svg"))
    products = [text for text in texts("conv_forward.svg") if " · " in text]
    total = sum(np.prod([float(factor.replace("−", "-")) for factor in text.split(" · ")]) for text in products)
    assert len(products) == w.size
    assert total + pictures.BIAS == out[0, 0, 0, 0]

    shown = [float(text.replace("−", "-")) for text in numbers("conv_backward.svg")]
    dout, w = np.array(shown[:4]).reshape(1, 1, 2, 2), np.array(shown[4:8]).reshape(1, 1, 2, 2)
    _, cache = layers.conv2d_forward(np.ones((1, 1, 3, 3)), w, np.zeros(1))
    assert follows(layers.conv2d_backward(dout, cache)[0], numbers("conv_backward.svg"))


def test_the_numbers_of_the_pools_are_the_layers_own():
    shown = numbers("max_pool.svg")
    image = np.array(shown[:20], dtype=float).reshape(1, 1, 4, 5)
    out, cache = layers.max_pool2d_forward(image, (2, 2), 1)
    assert follows(out, shown)
    assert follows(layers.max_pool2d_backward(np.ones_like(out), cache), shown)

    shown = numbers("avg_pool.svg")
    image, dout = np.array(shown[:9], dtype=float).reshape(1, 1, 3, 3), np.array(shown[13:17], dtype=float)
    out, cache = layers.avg_pool2d_forward(image, (2, 2), 1)
    assert follows(out, shown)
    assert follows(layers.avg_pool2d_backward(dout.reshape(1, 1, 2, 2), cache), shown)


def test_the_counts_of_the_windows_are_the_layers_own():
    sides = "".join(texts("stride.svg"))
    for padding in (0, 1):
        size = layers.conv_output_size(6, 3, stride=2, padding=padding)
        counts = layers.col2im(np.ones((9, size * size)), (1, 1, 6, 6), (3, 3), stride=2, padding=padding)
        assert follows(counts, numbers("stride.svg"))
        assert f"// 2 + 1 = {size}" in sides


# --- to be read by everybody -----------------------------------------------------------------------------------------


def themes():
    """The colours of both themes, by name."""
    light, _, dark = pictures.STYLE.partition("prefers-color-scheme: dark")
    return [dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in (light, dark)]


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return np.dot(linear, [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    """How far apart two colours are, as WCAG 2 defines it: 1 to 21."""
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def variable(css, name):
    """Which colour a class of the style sheet gives to `fill` or `stroke`."""
    found = [re.search(rf"\.{one} {{[^}}]*{name}: var\(--(\w+)\)", pictures.STYLE) for one in css.split()]
    return next((match[1] for match in found if match), None)


def beneath(element, root):
    """The colour of the last rectangle drawn before an element that holds its position."""
    x, y = float(element.get("x")), float(element.get("y"))
    colour = None
    for other in root.iter():
        if other is element:
            return colour
        if other.tag == f"{SVG}rect":
            left, top, width, height = (float(other.get(key, 0)) for key in ("x", "y", "width", "height"))
            if left <= x <= left + width and top <= y <= top + height:
                colour = variable(other.get("class"), "fill") or colour
    return None


@pytest.mark.parametrize("name", DRAWN)
def test_every_text_stands_out_from_what_is_beneath(name):
    root = ElementTree.fromstring(DRAWN[name])
    for theme in themes():
        for element in root.iter(f"{SVG}text"):
            ink, ground = variable(element.get("class"), "fill") or "ink", beneath(element, root)
            assert contrast(theme[ink], theme[ground]) >= 4.5, (element.text, ink, ground)


def test_frames_and_arrows_stand_out_from_every_colour():
    for theme in themes():
        for ground in ("paper", "none", "red", "green", "blue", "gold", "violet", "teal"):
            assert contrast(theme["mark"], theme[ground]) >= 3, ground
        assert contrast(theme["faint"], theme["paper"]) >= 4.5
        assert contrast(theme["line"], theme["paper"]) >= 3


@pytest.mark.parametrize("name", DRAWN)
def test_every_text_fits_and_can_be_read_on_a_phone(name):
    root = ElementTree.fromstring(DRAWN[name])
    _, _, width, height = map(float, root.get("viewBox", "").split())
    for element in root.iter(f"{SVG}text"):
        css, text = element.get("class", "").split(), element.text or ""
        size = 13 if "small" in css else 15
        assert size * ON_A_PHONE / width >= 11
        x, y, long = float(element.get("x", "")), float(element.get("y", "")), 0.6 * size * len(text)
        left = x if "left" in css else x - long / 2
        assert left >= 0, text
        assert left + long <= width, text
        assert size / 2 <= y <= height - size / 2, text


WRITTEN = {
    "stride.svg": {"plain": "1", "green": "2", "gold": "4", "none": "0"},
    "im2col.svg": {"red": "c=0", "green": "c=1", "blue": "c=2"},
    "col2im.svg": {"red": "A", "green": "B", "blue": "C", "gold": "D"},
    "conv_forward.svg": {"blue": "w", "gold": "out"},
    "conv_backward.svg": {"red": "A", "green": "B", "blue": "C", "gold": "D"},
    "max_pool.svg": {"red": "A", "green": "B", "blue": "C", "gold": "D", "violet": "E", "teal": "F"},
    "avg_pool.svg": {"gold": "out"},
}
"""What is written for those who see no colours: what each colour says."""


@pytest.mark.parametrize("name", DRAWN)
def test_what_a_colour_says_is_written_as_well(name):
    root = ElementTree.fromstring(DRAWN[name])
    used = {css for element in root.iter(f"{SVG}rect") for css in element.get("class", "").split()}
    colours = used & {"red", "green", "blue", "gold", "violet", "teal"}
    assert colours <= set(WRITTEN[name])
    assert set(WRITTEN[name].values()) <= set(texts(name))


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_stands_for_itself(name):
    root = ElementTree.fromstring(DRAWN[name])
    used = set(" ".join(element.get("class", "") for element in root.iter()).split())
    assert all(f".{css} " in pictures.STYLE for css in used), used
    light, dark = themes()
    assert set(light) == set(dark) >= {"paper", "ink"}
    assert "http" not in DRAWN[name].replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize("file", ["README.md", "conv_pool.ipynb"])
def test_what_is_seen_is_also_said(file):
    """The alternative text of a picture is its title, wherever it is shown."""
    text = (ASSIGNMENT / file).read_text(encoding="utf-8")
    if file.endswith(".ipynb"):
        text = "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    shown = dict(re.findall(r"!\[([^\]]+)\]\(pictures/(\w+\.svg)\)", text))
    for said, name in shown.items():
        title = ElementTree.fromstring(DRAWN[name]).findtext(f"{SVG}title")
        assert said.replace("\n", " ") == title
        assert len(str(title).split()) >= 25
    assert sorted(shown.values()) == sorted(DRAWN)
