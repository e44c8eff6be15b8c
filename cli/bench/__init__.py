"""`tally bench`: how fast the whole pipeline is on this machine, beside a naive one."""
