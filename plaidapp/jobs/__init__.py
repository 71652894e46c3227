"""What happens behind the pages: the queue, the jobs, and the sweep that finds what was left."""
