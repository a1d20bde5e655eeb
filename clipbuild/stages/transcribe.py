"""Stage `transcribe`: what is said in a sound or clip, word by word with times, bought."""

from clipbuild.stages.bought import Bought

STAGE = Bought("transcribe", "words", ("words",))
