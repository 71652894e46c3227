"""A person whose clicks are real HTTP requests."""

import re
from datetime import UTC, datetime, timedelta

import requests

PASSWORD = "correct horse battery staple"
DYNAMIC = "user_transactions_dynamic"


class Person:
    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.trust_env = False
        self._sign_up(name)
        self._csrf = self._token("/finance/")

    def _token(self, path: str) -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.look(path).text)
        assert found, f"no form on {path}"
        return found[1]

    def _sign_up(self, name: str) -> None:
        answer = self.http.post(
            f"{self.url}/auth/signup",
            data={
                "csrf_token": self._token("/auth/signup"),
                "username": name,
                "email": f"{name}@example.com",
                "password": PASSWORD,
            },
            timeout=10,
        )
        assert answer.ok, answer.text

    def look(self, path: str = "/finance/", timeout: float = 10) -> requests.Response:
        return self.http.get(f"{self.url}{path}", timeout=timeout)

    def click(self, path: str, timeout: float = 10, **form: str) -> requests.Response:
        """POST as HTMX does; the answer is the panel."""
        headers = {"HX-Request": "true", "X-CSRFToken": self._csrf}
        return self.http.post(f"{self.url}{path}", data=form, headers=headers, timeout=timeout)

    def click_transactions(self) -> requests.Response:
        """*Get transaction data* of three months, which Plaid doesn't bill by the call."""
        today = datetime.now(UTC).date()
        days = {"start_date": str(today - timedelta(days=90)), "end_date": str(today)}
        return self.click("/finance/pulls/transactions", **days)

    def connect_dynamic(self, institution_id: str) -> None:
        """Connect a test user whose bank data changes at every refresh."""
        form = {"override_username": DYNAMIC, "override_password": "anything"}
        answer = self.click("/finance/items/sandbox", institution_id=institution_id, **form)
        assert answer.status_code == 200, answer.text

    def log_in_again(self, name: str, wrong: str) -> None:
        """Log out, and in again from the same browser, at first with a `wrong` password."""
        self.click("/auth/logout")
        for password, status in ((wrong, 401), (PASSWORD, 200)):
            answer = self.log_in(name, password)
            assert answer.status_code == status, answer.text

    def log_in(self, name: str, password: str = PASSWORD) -> requests.Response:
        form = {"username": name, "password": password, "csrf_token": self._token("/auth/login")}
        answer = self.http.post(f"{self.url}/auth/login", data=form, timeout=10)
        if answer.ok:
            self._csrf = self._token("/finance/")
        return answer

    def close(self) -> None:
        self.http.close()
