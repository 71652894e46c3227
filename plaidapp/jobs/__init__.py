"""What happens behind the pages: the queue, the jobs, and the clock that finds unfinished work."""
