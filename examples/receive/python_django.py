"""Receives Latchkey's callbacks with Django. How to run it: README.md."""

import json
import os
from wsgiref.simple_server import make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["LATCHKEY_WEBHOOK_SECRET"])
KNOWN = {"ping", "tenant.suspended", "tenant.reactivated", "tenant.secret_rotated"}
# Stands in for a table where the id is unique: insert id and event together, answer, and act on the event afterwards.
seen = set()


def verified(body, headers):
    """The event in a body, if Latchkey has signed it within five minutes of now, and None if not."""
    try:
        WEBHOOK.verify(body, headers)
        event = json.loads(body)
    except (WebhookVerificationError, ValueError):  # the second for signatures and bodies that nobody can read
        return None
    # What is signed and has no event in it is somebody's call.
    is_event = isinstance(event, dict) and isinstance(event.get("type"), str)
    return event if is_event and event.get("event_id") == headers["webhook-id"] else None


@csrf_exempt  # the signature is what proves the sender
@require_POST
def receive(request, flow):
    # The bytes, since they are signed. `request.read()` on the way here would leave none of them.
    event = verified(request.body, request.headers)
    if event is None:
        return HttpResponse(status=400)
    if event["type"] in KNOWN and event["event_id"] not in seen:
        seen.add(event["event_id"])
        print(f"handled {event['type']} {event['event_id']}", flush=True)
    # Also for a type that is not known: any other status is a failure, and the event would come again for three days.
    return HttpResponse(status=204)


# Without a slash at the end: the address that is redirected to would never be called.
urlpatterns = [path("relay-callbacks/<slug:flow>", receive)]

if __name__ == "__main__":
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1"],
        MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
    )
    make_server("127.0.0.1", int(os.environ.get("PORT", "8080")), get_wsgi_application()).serve_forever()
