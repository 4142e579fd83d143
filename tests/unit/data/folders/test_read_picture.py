from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.data.folders.image_folder import open_folder
from circuitz.data.folders.read_picture import LARGEST, read_picture
from circuitz.errors import InputsError


def ramp(dtype: type = np.uint8, top: int = 255) -> np.ndarray:
    return np.linspace(0, top, 64).reshape(8, 8).round().astype(dtype)


def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path: Path) -> None:
    file = tmp_path / "deep.png"
    Image.fromarray(ramp(np.uint16, 65535)).save(file)
    found = read_picture(file)
    assert found.shape == (8, 8, 3)
    assert np.abs(found[..., 0].astype(int) - ramp().astype(int)).max() <= 1


def test_32_bit_values_beyond_16_bits_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "deep.tiff"
    Image.fromarray(ramp(np.int32, 10_000_000)).save(file)
    with pytest.raises(InputsError, match=r"deep\.tiff holds values from 0 to 10000000"):
        read_picture(file)
    Image.fromarray(ramp(np.float32, 1)).save(file)
    with pytest.raises(InputsError, match="floating-point"):
        read_picture(file)


def test_cmyk_keeps_its_colours(tmp_path: Path) -> None:
    file = tmp_path / "print.jpg"
    Image.new("RGB", (16, 16), (200, 40, 40)).convert("CMYK").save(file, quality=95)
    assert np.abs(read_picture(file).astype(int) - (200, 40, 40)).max() < 12


def test_transparency_lies_on_white_as_in_a_viewer(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8, 4), np.uint8)
    pixels[:4] = (255, 0, 0, 255)
    pixels[4:] = (0, 255, 0, 0)  # hidden green
    for name, image in (
        ("alpha.png", Image.fromarray(pixels)),
        ("palette.png", Image.fromarray(pixels).quantize(4)),
        ("grey.png", Image.fromarray(pixels).convert("LA")),
    ):
        image.save(tmp_path / name)
        found = read_picture(tmp_path / name)
        assert (found[6, 4] == 255).all(), name
        assert found[1, 4].tolist() != [255, 255, 255], name


def test_pictures_are_turned_as_their_camera_says(tmp_path: Path) -> None:
    wide = Image.new("RGB", (20, 10), (255, 0, 0))
    wide.paste((0, 0, 255), (10, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    wide.save(tmp_path / "turned.png", exif=exif)
    found = read_picture(tmp_path / "turned.png")
    assert found.shape == (20, 10, 3)
    assert found[2, 5, 0] == 255
    assert found[18, 5, 2] == 255
    for strange in (0, 9, 4711):
        exif[0x0112] = strange
        wide.save(tmp_path / "strange.png", exif=exif)
        assert read_picture(tmp_path / "strange.png").shape == (10, 20, 3)


@pytest.mark.filterwarnings("error")
def test_damaged_exif_does_not_lose_the_picture(tmp_path: Path) -> None:
    file = tmp_path / "x.jpg"
    Image.new("RGB", (16, 16), (9, 99, 199)).save(file, exif=b"Exif\0\0MM\0*\xff\xff\xff\xffrest")
    assert read_picture(file).shape == (16, 16, 3)


def test_the_contents_and_not_the_name_say_what_it_is(tmp_path: Path) -> None:
    file = tmp_path / "really-a-png.jpg"
    Image.fromarray(ramp()).save(file, format="PNG")
    assert (read_picture(file)[..., 0] == ramp()).all()


def test_a_large_jpeg_is_shrunk_while_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.jpg"
    Image.new("L", (10_000, 10_000), 120).save(file, quality=20)
    with pytest.raises(InputsError, match=r"huge\.jpg has 100,000,000 pixels"):
        read_picture(file)
    found = read_picture(file, 32)
    assert found.shape == (32, 32, 3)
    assert np.abs(found.astype(int) - 120).max() < 5


def png_header(width: int, height: int) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, body: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(name + body))
        return struct.pack(">I", len(body)) + name + body + crc

    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize(("width", "height"), [(10_000, 10_000), (50_000, 50_000)])
@pytest.mark.parametrize("size", [None, 32])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, width, height, size) -> None:
    file = tmp_path / "bomb.png"
    file.write_bytes(png_header(width, height))
    assert width * height > LARGEST
    with pytest.raises(InputsError, match=r"bomb\.png (has|is too large)"):
        read_picture(file, size)


def whole_png() -> bytes:
    made = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)).save(
        made, format="PNG"
    )
    return made.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"just text",
        whole_png()[:200],
        whole_png()[:-400],
        b"\xff\xd8\xff\xe0" + b"\0" * 30,
        b"GIF89a" + b"\xff" * 20,
        b"<svg onload='alert(1)'/>",
    ],
)
def test_what_is_no_whole_picture_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "odd.png"
    file.write_bytes(content)
    with pytest.raises(InputsError, match=r"odd\.png") as caught:
        read_picture(file)
    assert caught.value.hint


def test_one_pixel_is_no_picture(tmp_path: Path) -> None:
    file = tmp_path / "dot.png"
    Image.new("RGB", (1, 1)).save(file)
    for size in (None, 16):
        with pytest.raises(InputsError, match=r"dot\.png is 1 × 1"):
            read_picture(file, size)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputsError, match=r"no picture .*gone\.png"):
        read_picture(tmp_path / "gone.png")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "Git LFS.*git lfs pull"),
        (b"\n<!DOCTYPE html><html>404</html>", "a web page"),
        (b"something else", r"can be read\. Replace"),
    ],
)
def test_what_lies_in_the_place_of_a_picture_is_named(
    tmp_path: Path, content: bytes, said: str
) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(InputsError) as caught:
        read_picture(tmp_path / "a.jpg")
    assert caught.match(said)


@pytest.mark.parametrize(("top", "dark"), [(4095, True), (4096, False), (65535, False)])
def test_twelve_bits_in_sixteen_are_remarked_on(tmp_path: Path, top: int, dark: bool) -> None:
    for k, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for i in range(3):
            pixels = np.roll(ramp(np.uint16, top), 3 * i + k)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        open_folder(tmp_path)
    assert any("use 12 of them at most" in str(w.message) for w in told) == dark
