"""What the machine that runs the tests says about itself is taken away first: a CI is no different from a desk.

clipbuild trusts a run less in CI and listens to a person's settings, keys and colours. Tests that are about those say so
themselves. Kept: where ffmpeg and Chromium are, and the switches of the tests themselves.
"""

import os

SURROUNDINGS = ("CI", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "SOURCE_DATE_EPOCH", "OPENAI_API_KEY",
                "RUNWAYML_API_SECRET", "KLING_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY",
                "CLIPBUILD_TRUSTED", "CLIPBUILD_REMOTE", "CLIPBUILD_REMOTE_KEY", "CLIPBUILD_REMOTE_TOKEN",
                "CLIPBUILD_REMOTE_WRITE", "CLIPBUILD_SIGN_KEY", "CLIPBUILD_SIGN_CERT", "CLIPBUILD_KEYS")  # fmt: skip

for name in SURROUNDINGS:
    os.environ.pop(name, None)
os.environ.setdefault("CLIPBUILD_CONFIG", os.devnull)
