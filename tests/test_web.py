"""What web processes share."""

from plaidapp import web


def test_after_the_warm_up_no_page_waits_for_a_template_to_be_compiled(app, client, monkeypatch):
    web.warm_up(app)

    def compile_now(*_source, **_names):
        raise AssertionError("compiled while somebody waits")

    monkeypatch.setattr(app.jinja_env, "compile", compile_now)
    assert client.get("/auth/signup").status_code == 200
    assert client.get("/nowhere").status_code == 404
