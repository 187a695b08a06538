"""How a page of ranked photos looks: on a phone, in the dark and on paper."""

STYLE = """
:root { --paper: #faf9f6; --ink: #22211f; --pale: #6b675f; --line: #e4e1d9; --gold: #8a6100;
  --alert: #fff1cc }
@media (prefers-color-scheme: dark) {
  :root { --paper: #191817; --ink: #eceae5; --pale: #a5a098; --line: #37342f; --gold: #f0b93a;
    --alert: #3d3010 }
}
* { box-sizing: border-box }
body { margin: 0 auto; padding: 1rem; max-width: 90rem; background: var(--paper);
  color: var(--ink); font: 1rem/1.45 system-ui, sans-serif; overflow-wrap: anywhere }
h1 { margin: 0 0 .5rem; font-size: 1.6rem; font-weight: 600 }
h2 { margin: 0 0 .6rem; font-size: 1rem; font-weight: 600 }
small, .note, li p { color: var(--pale) }
small { font-weight: 400 }
header p { margin: .3rem 0; max-width: 46rem }
.warning { padding: .6rem .8rem; border-radius: .3rem; background: var(--alert) }
nav { margin: 1rem 0 }
nav a, nav b { display: inline-block; min-width: 2rem; padding: .3rem; text-align: center }
a { color: inherit }
section { padding: 1rem 0; border-top: 1px solid var(--line) }
ol { display: grid; grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr)); gap: .7rem;
  margin: 0; padding: 0; list-style: none }
li { max-width: 10rem }
img { display: block; width: 100%; height: auto; border-radius: .2rem }
li:first-child img { outline: .2rem solid var(--ink) }
li p { margin: .35rem 0 0; font-size: .8rem; line-height: 1.3 }
li span { color: var(--ink); font-weight: 700 }
li b { color: var(--gold) }
data { font-variant-numeric: tabular-nums }
@media print {
  :root { --paper: #fff; --ink: #000; --pale: #444; --line: #bbb; --gold: #000; --alert: #fff }
  body { padding: 0; max-width: none; font-size: 10pt }
  nav { display: none }
  section, li { break-inside: avoid }
  ol { grid-template-columns: repeat(6, 1fr) }
  .warning { border: 1px solid }
}
"""
"""The style sheet; text stands out from what is behind it by a contrast of at least 4.5."""
