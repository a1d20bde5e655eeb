"""Stage `animate`: a clip that starts from a picture, bought."""

from clipbuild.stages.bought import Bought

STAGE = Bought("animate", "video", ("video",))
