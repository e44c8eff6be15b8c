"""Two benches: `run` measures the whole pipeline (`tally bench`), `queries` what questions cost."""
