"""How far a judge agrees with people: measured once, kept as a file, required by suites.

    calibration file ── judging ──→ judgements ── figures ──→ artifact ── requirement ──→ suite

`agreement` and `bias` hold the statistics; they alone load numpy.
"""
