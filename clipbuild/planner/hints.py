"""What a prompt adds when a picture is taken again because of what was wrong with the one before.

Plain words by the ids of readiness findings. Knows nothing of locks or providers.
"""

WORDS = {
    "no_subject": "one whole product, large and clearly in the middle",
    "many_subjects": "exactly one product, nothing else beside it",
    "background_busy": "a plain, softly blurred background without texture or objects",
    "banner": "the frame filled, no bars",
    "subject_cut": "the whole product inside the frame, with room on every side",
    "compressed": "clean, without compression marks",
}


def of(because: str) -> str:
    """The words for a note like "background_busy, many_subjects"; "" for one in a person's own words."""
    ids = [part.strip() for part in because.split(",")]
    return "; ".join(WORDS[name] for name in ids if name in WORDS) if all(name in WORDS for name in ids) else ""
