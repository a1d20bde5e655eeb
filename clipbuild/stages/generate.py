"""Stage `generate`: a picture from words, or from words and photos, bought. Up to ten candidates, the first is `image`."""

from clipbuild.stages.bought import Bought

STAGE = Bought("generate", "image", ("image", *(f"image_{number}" for number in range(1, 10))))
