"""The jobs of benchmarks/tasks.py as Celery tasks: celery -A benchmarks.celery_app worker."""

from celery import Celery

from . import tasks

app = Celery(broker=tasks.config.redis_url)
app.conf.update(
    task_ignore_result=True,  # our jobs have no results either
    task_default_queue="celery",
)
app.task(tasks.call_bank, name="call_bank")
app.task(tasks.run_pull, name="run_pull")
