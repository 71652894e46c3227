"""The warm-up of web processes before gunicorn forks."""

from plaidapp import web


def test_after_the_warm_up_no_request_compiles_a_template(app, client, monkeypatch):
    web.warm_up(app)

    def compile_now(*_source, **_names):
        raise AssertionError("a request compiled a template")

    monkeypatch.setattr(app.jinja_env, "compile", compile_now)
    assert client.get("/auth/signup").status_code == 200
    assert client.get("/nowhere").status_code == 404
