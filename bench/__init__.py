"""The benchmark: what Trunkline costs beside plain proxies on the same machine, and whether it stays flat for hours.

`python -m bench` (`make bench`) starts an upstream and the gateways (nginx, Envoy, Trunkline), pins every gateway to one core and
everything else to the others, checks their answers, then loads them in turn, round after round, and writes a Markdown table with ratios
to `bench-results/`, with `--write-docs` into `docs/performance.md` too. With `--peers` (`make bench-peers`) it measures other gateways for
language models as well: `environments` installs them, `peers` starts them. `workload` says what is sent and answered, `gateways` how each
one is set up, `load`, `probe` and `processes` measure, `rounds` orders it all, `results` turns figures into tables and verdicts. `python
-m bench.soak` (`make soak`) is the long run, `python -m bench.fleet` a fleet of failing endpoints behind the router and without it, whose
troubles `market` makes up.

Linux only: figures come from /proc. The method is told in DEVELOPERS.md.
"""
