"""Which colours texts get."""

import numpy as np
import pytest

from clipbuild.media import contrast, fonts, legible, lettering, painting, placing
from clipbuild.media.text import Fonts
from clipbuild.media.timing import Cue
from tests.support import styles

LOOKS = lettering.looks_of({"caption_style": styles.style("boxed"), "overlays": styles.overlays()})
BRANDS = [
    {"primary": "#24443a", "accent": "#e0a43a"}, {"primary": "#ffe14d", "accent": "#ffe14d", "text": "#ffffff"},
    {"primary": "#808080", "accent": "#7a7a7a", "text": "#777777"}, {},
]  # fmt: skip


@pytest.mark.parametrize("brand", BRANDS)
@pytest.mark.parametrize("kind", ["caption", "price", "cta"])
@pytest.mark.parametrize("level", [10, 128, 245])
def test_letters_read_on_their_box_whatever_the_brand(brand: dict[str, str], kind: str, level: int) -> None:
    """A light brand colour gets dark letters; on a box that is seen through, the picture behind counts too."""
    setter = lettering.Setter(Fonts(fonts.needed("Hello")), LOOKS, 540.0)
    ((item,),) = [g.placed for g in placing.place(setter, [Cue(kind, "Hello", 0, 5)], [(40, 60, 500, 400)], large=False)]
    frame = np.full((960, 540, 3), level, np.uint8)
    seen = legible.Seen((1.0,), (frame,), 0, 0)
    ink = legible.best_ink(seen, [painting.spot(item)], painting.inks(brand))[1]
    paint, shade = painting.Painter(brand, seen, ink).paint(item, painting.spot(item))
    assert paint.box is not None
    assert shade == 0
    behind = contrast.shaded([frame[:10, :10].reshape(-1, 3)], paint.box, paint.opacity)
    assert contrast.measured(paint.letters, behind) >= contrast.NEEDED


@pytest.mark.parametrize("brand", BRANDS)
def test_inks_are_the_brands_where_those_are_light_and_dark(brand: dict[str, str]) -> None:
    """Else white and nearly black."""
    light, dark = painting.inks(brand)
    assert contrast.between(light, dark) >= 7
