"""Hosted Link: the pages on which a person connects a bank or repairs a connection.

They are plain forms. A form is sent to `steps`, which changes the session, and the browser is
redirected to the page of the next step. https://plaid.com/docs/link/hosted-link/
"""
