"""Telling languages apart, by script and by their most common words.

Small and bounded on purpose: it answers "is this text in German?" for texts of a few sentences in the languages that
tasks ask for. It is no detector for single words or for related languages that are not listed.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LANGUAGES", "detect_language"]

_COMMON: dict[str, str] = {
    "English": """
        the of and to in is that it was for on with as be at by this have from or had not are but what
        all were we when your can said there use an each which she do how their if will up other about
        out many then them these so some her would make like him into has look more go see no way could
        my than first been who its now people over did down only little very after most also where much
        before right too any same
    """,
    "German": """
        der die das und ist nicht ein eine einen einem einer mit von zu auf für im dem den des sich es
        sie er wir ich auch als an nach wie bei aus hat haben war wird werden sind noch nur so über vor
        durch man kann immer wenn aber oder dass zum zur am um unter hier dort viele sehr mehr schon
        jeder jede jedes ohne
    """,
    "French": """
        le la les de des du et est un une en que qui dans pour pas ne sur avec il elle ils elles ce
        cette ces au aux par plus se son sa ses mais ou où nous vous je on sont été être avoir a ont
        tout tous très comme sans sous entre quand leur leurs y chaque ici toujours peu beaucoup encore
    """,
    "Spanish": """
        el la los las de del y es un una en que no se por con para su sus como más pero al lo le les
        este esta estos estas hay muy ya son fue ser sin sobre también entre cuando todo todos cada aquí
        siempre desde hasta donde porque tiene nunca poco mucho ha han o ni nos ella él
    """,
    "Italian": """
        il lo la i gli le di del della dei delle e è un una uno in che non si per con da al alla nel
        nella su come più ma o questo questa questi queste sono ha hanno era essere molto anche tra
        quando ogni qui sempre dove perché suo sua suoi senza poco tutto tutti c'è ci sul sulla dal
        dalla
    """,
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _COMMON.items()}
_SCRIPTS: dict[str, tuple[int, int]] = {"Russian": (0x0400, 0x04FF), "Greek": (0x0370, 0x03FF)}
LANGUAGES: tuple[str, ...] = (*_STOP_WORDS, *_SCRIPTS)
"""The languages that can be told apart."""

_LEAST_WORDS = 5
_LEAST_SHARE = 0.2
"""Of the words of a plain text, between a third and a half are among the hundred most common of its language."""
_MOST_SHARE, _MOST_FROM = 0.85, 15
"""But hardly ever nearly all of them, in a text of some length: a string of small words is no text."""
_SCRIPT_SHARE = 0.8


def detect_language(words: Sequence[str]) -> str | None:
    """The language of a text.

    Args:
        words: its words, in lower case.

    Returns:
        One of :data:`LANGUAGES`; None for a text of under five words, and where nothing fits.
    """
    if len(words) < _LEAST_WORDS:
        return None
    joined = "".join(words)
    letters = [] if joined.isascii() else [ord(ch) for ch in joined if ch.isalpha()]
    for language, (low, high) in _SCRIPTS.items():
        if letters and sum(low <= letter <= high for letter in letters) >= _SCRIPT_SHARE * len(letters):
            return language
    shares = {
        language: sum(word in common for word in words) / len(words)
        for language, common in _STOP_WORDS.items()
    }
    best = max(shares, key=lambda language: shares[language])
    tied = sum(share == shares[best] for share in shares.values()) > 1
    most = _MOST_SHARE if len(words) >= _MOST_FROM else 1.0
    return best if _LEAST_SHARE <= shares[best] <= most and not tied else None
