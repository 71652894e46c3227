"""The web server: waits for slow clients, so that no thread of the app has to.

gunicorn starts, watches and replaces the processes. In each of them, Tornado's event loop receives
whole requests and sends whole answers, and a few threads run the app in between. Not one of the
servers that run WSGI apps does both, see docs/benchmarks.md.
"""
