"""One script per question. Each prints tables; `python -m benchmarks` runs them all."""
