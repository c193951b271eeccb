"""The desk in tests: `desk(user)` is a client signed in as somebody of the cast."""

import pytest


@pytest.fixture
def desk(client, world):
    def signed_in(user):
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def messages_of():
    """The sentences that the next page would show."""

    def read(response):
        from django.contrib.messages import get_messages

        return [str(message) for message in get_messages(response.wsgi_request)]

    return read
