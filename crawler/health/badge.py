"""A source's state as a small picture (SVG): its name, its verdict, since when. Drawn here, in the reader's own fonts.

The verdict is written out, so that colour alone says nothing; white on each colour has a contrast of 4.5 or more.
"""

from __future__ import annotations

from html import escape

COLOURS = {"healthy": "#1a7f37", "degraded": "#8a5a00", "silent": "#6639ba", "unwatched": "#57606a"}
BROKEN = "#b3202a"
"""The colour of every other verdict."""
FONT = "Verdana,'DejaVu Sans',Geneva,sans-serif"
LARGE, SMALL = 11.0, 9.0
NARROW, WIDE = "iIjl.,:;'|!()[] ft1r", "mwMWШЩЖЮФМ%@"
PAD = 8


def badge(source: str, verdict: str, since: str) -> str:
    """The picture; `since` is the time as it is to be shown."""
    colour = COLOURS.get(verdict, BROKEN)
    left, right, below = width(source, LARGE) + 2 * PAD, width(verdict, LARGE) + 2 * PAD, width(since, SMALL) + 2 * PAD
    right = max(right, below - left)
    left, whole = round(left), round(left + right)
    said = escape(f"{source}: {verdict}, {since}")
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{whole:.0f}" height="36" viewBox="0 0 {whole:.0f} 36"
 role="img" aria-label="{said}">
<title>{said}</title>
<rect width="{whole:.0f}" height="36" rx="4" fill="#f6f8fa"/>
<path d="M0 21V4a4 4 0 0 1 4-4H{left:.0f}V21Z" fill="#24292f"/>
<path d="M{left:.0f} 0H{whole - 4:.0f}a4 4 0 0 1 4 4V21H{left:.0f}Z" fill="{colour}"/>
<g font-family="{FONT}" text-anchor="middle">
{_text(source, left / 2, 15, LARGE, "#ffffff")}
{_text(verdict, (left + whole) / 2, 15, LARGE, "#ffffff")}
{_text(since, whole / 2, 31, SMALL, "#24292f")}
</g>
</svg>
"""


def width(text: str, size: float) -> float:
    """About how wide a text is; the picture holds the reader's font to it."""
    shares = (0.4 if letter in NARROW else 0.98 if letter in WIDE else 0.64 for letter in text)
    return size * sum(shares)


def _text(text: str, middle: float, below: float, size: float, colour: str) -> str:
    return (
        f'<text x="{middle:.1f}" y="{below:.0f}" font-size="{size:.0f}" fill="{colour}" '
        f'textLength="{width(text, size):.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )
