"""Anomalies: how surprising each row of a series is, from its own past alone. Pure: arrays in, arrays out.

`recent` and `days` say by how much a value breaks out of the last hour and of the same time on earlier days, `usual`
how large such breaks are of a series' habit, `novelty` whether values like these were ever there. `detector` makes one
surprise of them for n series at once, `onsets` tells the moments worth waking somebody, `episodes` what became of them.
"""
