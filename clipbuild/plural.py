"""A number with its noun, as a person would write it: "1 file", "2,000 files". Knows nothing of what is counted."""


def counted(number: int, noun: str) -> str:
    """`number` and `noun`, which gets its plural where it is not one; a noun in "y" gets "ies"."""
    if number == 1:
        return f"1 {noun}"
    many = f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2:-1] not in "aeiou" else f"{noun}s"
    return f"{number:,} {many}"
