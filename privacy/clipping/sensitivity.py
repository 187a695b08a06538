"""How far one moment moves a clipped sum in the numbers that a machine adds."""

SENSITIVITY = 1 + 1e-6
"""By how much one moment moves a float64 sum of clipped moments at most, in clips.

A clip is the bound of the reals. A sum of n numbers errs by at most n · 2^-53 of their absolute
sum (Higham 2002, section 4.2). A moment adds at most 2^14 clips before its rows cancel
(``client.training.layers.REACH``), in products of at most 32 moments of 12 rows, and one clip
afterwards. So the sum of N moments errs by less than N · 7e-10 clips, and with a moment and
without it by twice that: 1e-6 holds for 700 moments in a step, and the error grows in
proportion. Every accountant divides the noise by this: without it ε would be too small by about
a millionth."""
