"""The errands as Celery's tasks: celery -A benchmarks.rival worker."""

from celery import Celery

from . import errands

app = Celery(broker=errands.config.redis_url)
app.conf.update(
    task_ignore_result=True,  # as our jobs, which have none
    task_default_queue="celery",
)
app.task(errands.ask, name="ask")
app.task(errands.pull, name="pull")
