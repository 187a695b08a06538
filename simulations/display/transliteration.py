"""Names of any script in the letters of ASCII, for a font that has no others."""

import hashlib
import re
import unicodedata
from itertools import groupby

# A letter as Unicode names it: CYRILLIC SMALL LETTER BE, HEBREW LETTER FINAL MEM.
_LETTER = re.compile(
    r"(?P<script>[A-Z]+)\b.*?\b(?:LETTER|LIGATURE|SYLLABLE|CHARACTER|VOWEL SIGN) (?P<words>.+)"
)
# Scripts whose letters are called by a name and not by their sound: alpha is an a.
_NAMED = frozenset(
    (
        *("ARABIC", "ARMENIAN", "COPTIC", "CYRILLIC", "GEORGIAN", "GREEK", "HEBREW", "LAO"),
        *("SYRIAC", "THAI"),
    )
)
# Words that may stand before the name of a letter.
_QUALIFIERS = frozenset(("DOTLESS", "FARSI", "FINAL", "MAI", "SARA", "SHARP", "SHORT", "SMALL"))
_FIRST_SOUND = re.compile("Y[AU]|[^AEIOU]+|[AEIOU]")
# General categories of Unicode: dashes, spaces, opening and closing quotes, modifier letters.
_SPELT = {"Pd": "-", "Zs": " ", "Pi": '"', "Pf": '"', "Lm": "-"}


def in_ascii(name: str) -> str:
    """Writes a name so that it can be read, roughly, in printable ASCII and in one line.

    Accents are dropped. A letter of another alphabet becomes the sound with which its own name
    begins, a syllable is spelt out, a pictogram stands in brackets by its name; so do an
    ideograph and whatever cannot be seen, by their code points. All is in the order of memory,
    also what reads from the right. Two names may come out alike: ``mark`` tells them apart.

    Examples:
        >>> [in_ascii(name) for name in ("Gärten", "весна", "θάλασσα", "שלום", "바다")]
        ['Garten', 'vesna', 'thalassa', 'shlvm', 'bada']
        >>> in_ascii("北京 📷")
        '[5317 4EAC] [camera]'
    """
    text = _joined([_written(letter) for letter in unicodedata.normalize("NFKC", name)])
    return " ".join(text.split()) or _joined([_code(letter) for letter in name])


def mark(name: str) -> str:
    """Returns six hexadecimal digits, which one other name in 16 million shares."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]


Part = tuple[str, bool]
"""What is written for a letter, and whether it is a code point."""


def _joined(parts: list[Part]) -> str:
    return "".join(
        f"[{' '.join(text for text, _ in run)}]" if coded else "".join(text for text, _ in run)
        for coded, run in groupby(parts, key=lambda part: part[1])
    )


def _written(letter: str) -> Part:
    if " " <= letter <= "~":
        return letter, False
    named = unicodedata.name(letter, "")
    kind = unicodedata.category(letter)
    if found := _LETTER.fullmatch(named):
        return _sound(found["script"], found["words"], capital=kind == "Lu"), False
    if kind in _SPELT or kind.startswith("M"):
        return _SPELT.get(kind, ""), False
    if kind == "Nd":
        return str(unicodedata.decimal(letter)), False
    if named and kind.startswith(("S", "P", "N")):
        return f"[{named.lower()}]", False
    return _code(letter)


def _code(letter: str) -> Part:
    return f"{ord(letter):04X}", True


def _sound(script: str, words: str, *, capital: bool) -> str:
    own, *_ = words.split(" WITH ")
    word = next((one for one in own.split() if one not in _QUALIFIERS), own)
    if own.endswith(" SIGN"):
        return "'"
    if script in _NAMED or word in ("ETH", "THORN"):
        word = _first_sound(script, word)
    return word.capitalize() if capital else word.lower()


def _first_sound(script: str, word: str) -> str:
    if script == "CYRILLIC" and re.fullmatch("[AEIO][A-Z]", word):
        return word[1]  # r, n, l, m, s, f and e are called er, en, el, em, es, ef and ie.
    found = _FIRST_SOUND.match(word)
    return found[0] if found else word
