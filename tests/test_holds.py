"""What is said of a finished clip beside its files: that it is too large for a place."""

import pathlib

from tests.support.built import built


def test_a_clip_larger_than_its_platform_takes_is_told(tmp_path: pathlib.Path) -> None:
    """By name, with both sizes and what to change, when it is made; it is shipped all the same, and the build is done."""
    project = built(tmp_path)
    project.write("clipbuild.yaml", (project.root / "clipbuild.yaml").read_text() + "platforms:\n  tiktok: {max_megabytes: 0.001}\n")
    project.edit("catalog/all.yaml", "offer: {price: €5}\n  - sku: item-1", "offer: {price: €4}\n  - sku: item-1")
    status, _, err = project.run("build", "--profile", "draft")
    assert status == 0, err
    [line] = [row for row in err.splitlines() if "takes 0.001 MB" in row]
    assert line.startswith("warning: tiktok/item-0/item-0.mp4: ")
    assert "maxrate_kbps" in line
    assert (project.tree / "tiktok/item-0/item-0.mp4").exists()
    assert "takes" not in project.run("build", "--profile", "draft")[2]


def test_a_clip_that_fits_is_not_spoken_of(tmp_path: pathlib.Path) -> None:
    """At the usual limits nothing is said."""
    project = built(tmp_path)
    project.edit("catalog/all.yaml", "offer: {price: €5}\n  - sku: item-1", "offer: {price: €3}\n  - sku: item-1")
    assert "takes" not in project.run("build", "--profile", "draft")[2]
