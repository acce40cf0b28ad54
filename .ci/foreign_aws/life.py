"""The life of a tenant, from its provisioning on, by requests to a deployment that nobody here wrote.

It knows the service by its API alone. What was made is kept in `Life`, so that a deployment can be changed and asked
again.
"""

import hashlib
import hmac
import http.server
import json
import secrets
import threading
import time
import urllib.error
import urllib.request


class Deployment:
    """Where requests go: the address of each API, with the headers that lead to it."""

    def __init__(self, operator, public, key, invoke):
        self.operator, self.public, self.key, self.invoke = operator, public, key, invoke

    def call(self, method, path, body=None, headers=None, api=None):
        """A request: its status and its JSON."""
        address, more = api or self.public
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **more, **(headers or {})}
        request = urllib.request.Request(address + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            status, text = refusal.code, refusal.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text.decode(errors="replace")

    def registry(self, method, path, body=None, headers=None):
        """A request of the operator: its status and its JSON."""
        return self.call(method, f"/api/v1/{path}", body, {"x-admin-key": self.key, **(headers or {})}, self.operator)

    def done(self, method, path, body=None, headers=None):
        """What a request of the operator that succeeds has as data."""
        status, answer = self.registry(method, path, body, headers)
        expect(status in (200, 201, 202) and answer["success"], f"{path}: {status} {answer}")
        return answer["data"]


class Receiver:
    """Takes callbacks on 127.0.0.1, and keeps their headers and bodies."""

    def __init__(self):
        self.got = got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                got.append((dict(self.headers), json.loads(body)))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                """Nothing: what came is in `got`."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def types(self):
        return [body["type"] for _, body in self.got]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Life:
    """A tenant with all that it has made."""

    def __init__(self, deployment):
        self.at = deployment

    # --- what is asked ------------------------------------------------------------------------------------------------

    def key(self, kind):
        return self.at.done("POST", f"provision/api-key?tenant_id={self.id}", {"name": kind, "kind": kind})

    def projects(self, path, body, key=None):
        bearer = {"authorization": f"Bearer {key or self.admin['api_key']}"}
        return self.at.call("POST", f"/v1/api/projects/{path}", body, bearer)

    def account(self, method, path, body=None):
        return self.at.call(method, f"/api/v1/{path}", body, {"x-api-key": self.backend["api_key"]})

    def is_active(self, token):
        bearer = {"authorization": f"Bearer {self.admin['api_key']}"}
        status, answer = self.at.call("POST", "/api/v1/auth/introspect", {"token": token}, bearer)
        expect(status == 200, f"introspect: {status} {answer}")
        return answer["active"]

    def user_token(self):
        status, answer = self.projects("user-token", {"userId": self.user})
        expect(status == 200, f"user-token: {status} {answer}")
        return answer["data"]["token"]

    def signed(self, version, method="GET", path="/api/v1/relay/whoami", body="", secret=None, nonce=None):
        timestamp, nonce = str(time.time_ns() // 1_000_000), nonce or secrets.token_urlsafe(24)
        digest = hashlib.sha256(body.encode()).hexdigest()
        text = f"{timestamp}.{method}.{path}.{nonce}.{digest}" if version == "v2" else f"{timestamp}.{digest}"
        signature = hmac.new((secret or self.secret).encode(), text.encode(), hashlib.sha256).hexdigest()
        headers = {
            "x-latchkey-tenant-id": self.id,
            "x-latchkey-timestamp": timestamp,
            "x-latchkey-signature": f"v2={signature}" if version == "v2" else signature,
        }
        if version == "v2":
            headers["x-latchkey-nonce"] = nonce
        return self.at.call(method, path, body or None, headers)

    # --- what happens -------------------------------------------------------------------------------------------------

    def begin(self, limit=1000):
        """Provisioned once, whatever is repeated; seen in the list."""
        body = {"tenant_name": "Acme", "rate_limit_per_min": limit}
        once = {"idempotency-key": secrets.token_urlsafe(16)}
        made = self.at.done("POST", "provision/tenant", body, once)
        expect(self.at.done("POST", "provision/tenant", body, once) == made, "a repeated request makes another tenant")
        self.id, self.secret, self.project = made["tenant_id"], made["tenant_secret"], made["project_id"]
        self.webhook = made["webhook_secret"]
        expect(self.listed(), "the tenant is not in the list")
        for wrong in ("", "x", "y" * 48):
            status, _ = self.at.registry("GET", "fetch/tenants", headers={"x-admin-key": wrong})
            expect(status == 401, f"the admin key '{wrong}': {status}")
        self.admin, self.backend, self.spare = self.key("admin"), self.key("account"), self.key("embed")

    def listed(self):
        found = until(20, lambda: self.at.done("GET", "fetch/tenants?limit=100")["tenants"])
        return any(tenant["tenant_id"] == self.id for tenant in found)

    def people(self):
        """An organization and a user, whose token is good until it is revoked."""
        body = {"name": "Globex", "projectId": self.project, "externalId": "globex"}
        status, answer = self.projects("register-organization", body)
        expect(status == 200, f"register-organization: {status} {answer}")
        self.organization = answer["data"]["projectOrganizationId"]
        role = "00000000-0000-4000-8000-000000000003"
        body = {"name": "Ada", "projectId": self.project, "projectOrganizationId": "globex", "externalId": "ada"}
        status, answer = self.projects("register-user", {**body, "userRoleId": role, "properties": {}})
        expect(status == 200, f"register-user: {status} {answer}")
        self.user = answer["data"]["userId"]
        body = {"displayName": "Initech", "key": "initech", "prefilters": {"region": ["eu"]}}
        bearer = {"authorization": f"Bearer {self.admin['api_key']}"}
        status, answer = self.at.call("POST", "/v1/api/tenant/register-tenant", body, bearer)
        expect(status == 200, f"register-tenant: {status} {answer}")
        self.token, other = self.user_token(), self.user_token()
        expect(self.is_active(self.token) and self.is_active(other), "a new token is not active")
        bearer = {"authorization": f"Bearer {self.admin['api_key']}"}
        status, _ = self.at.call("POST", "/api/v1/auth/revoke", {"token": other}, bearer)
        expect(status == 200 and not self.is_active(other), f"a token that was revoked: {status}")
        expect(self.is_active(self.token), "a token ends with another")
        status, keys = self.at.call("GET", f"/t/{self.id}/.well-known/jwks.json")
        expect(status == 200 and keys["keys"], f"jwks: {status} {keys}")
        status, metadata = self.at.call("GET", f"/t/{self.id}/.well-known/oauth-authorization-server")
        expect(status == 200 and metadata["issuer"].endswith(f"/t/{self.id}"), f"metadata: {status} {metadata}")

    def rows(self):
        """Each kind of row is made, read, changed and deleted, for one end user, and another one sees none of it."""
        mine = {"external_user_id": "user_456"}
        status, token = self.account("POST", "auth/token", {**mine, "expires_in_minutes": 60})
        expect(status == 200, f"auth/token: {status} {token}")
        status, session = self.account("POST", "agent-sessions", {**mine, "title": "Chat"})
        expect(status == 201, f"agent-sessions: {status} {session}")
        self.session = session["id"]
        message = {"role": "user", "content": "Where is my order?"}
        status, answer = self.account("POST", f"agent-sessions/{self.session}/messages", message)
        expect(status == 201, f"messages: {status} {answer}")
        bearer = {"authorization": f"Bearer {token['access_token']}"}
        status, listed = self.at.call("GET", "/api/v1/agent-sessions", None, bearer)
        expect(status == 200 and len(listed["items"]) == 1, f"sessions of the end user: {status} {listed}")
        status, execution = self.account("POST", "tools/web_search/execute", mine)
        expect(status == 202, f"execute: {status} {execution}")
        done = {"status": "completed", "outputs": {"found": 1}}
        status, answer = self.account("PATCH", f"tool-executions/{execution['execution_id']}", done)
        expect(status == 200, f"a tool execution ends: {status} {answer}")
        status, workspace = self.account("POST", "workspaces", {**mine, "name": "Mine"})
        expect(status == 201, f"workspaces: {status} {workspace}")
        body = {**mine, "name": "Notes", "markdown_content": "# Notes", "workspace_ids": [workspace["id"]]}
        status, document = self.account("POST", "documents", body)
        expect(status == 201, f"documents: {status} {document}")
        status, answer = self.account("POST", "documents", {**body, "name": "To keep"})
        expect(status == 201, f"documents: {status} {answer}")
        status, answer = self.account("GET", f"documents/{document['id']}")
        expect(status == 200 and answer["markdown_content"] == "# Notes", f"a document: {status} {answer}")
        status, answer = self.account("DELETE", f"documents/{document['id']}")
        expect(status in (200, 204), f"a document is deleted: {status} {answer}")
        status, answer = self.account("GET", f"documents/{document['id']}")
        expect(status == 404, f"a document that was deleted: {status}")
        headers = {"x-api-key": self.backend["api_key"], "external_user_id": "user_123"}
        status, answer = self.at.call("GET", f"/api/v1/agent-sessions/{self.session}", None, headers)
        expect(status == 404, f"the session of another end user: {status}")

    def relay(self):
        """Signed calls of both versions; a nonce is good once, and a secret for its overlap."""
        for version in ("v1", "v2"):
            status, answer = self.signed(version)
            expect(status == 200 and answer["data"]["tenant_id"] == self.id, f"{version}: {status} {answer}")
            status, answer = self.signed(version, secret="sk_" + "0" * 64)
            expect(status == 401, f"{version} by somebody else: {status}")
        nonce = secrets.token_urlsafe(24)
        first, again = self.signed("v2", nonce=nonce)[0], self.signed("v2", nonce=nonce)[0]
        expect(first == 200 and again in (401, 409), f"a nonce twice: {first} {again}")
        old = self.secret
        path = f"rotate/tenant-secret?tenant_id={self.id}"
        self.secret = self.at.done("POST", path, {"overlap_seconds": 3600})["tenant_secret"]
        statuses = [self.signed("v2", secret=secret)[0] for secret in (old, self.secret)]
        expect(statuses == [200, 200], f"both secrets in the overlap: {statuses}")
        self.secret = self.at.done("POST", path, {"overlap_seconds": 0})["tenant_secret"]
        statuses = [self.signed("v2", secret=secret)[0] for secret in (old, self.secret)]
        expect(statuses == [401, 200], f"the secrets after it: {statuses}")

    def signing_key(self):
        """After a rotation the old tokens are still good, unless they are to go."""
        old = self.user_token()
        # The standby key is too young for verifiers that keep a key set for long.
        self.at.done("POST", f"rotate/signing-key?tenant_id={self.id}", {"force": True})
        expect(self.is_active(old) and self.is_active(self.user_token()), "a token ends with a rotation")

    def suspension(self):
        """Every call is refused from the next one on, until the tenant is reactivated."""
        self.at.done("POST", f"suspend/tenant?tenant_id={self.id}", {"reason": "unpaid"})
        statuses = [self.signed("v2")[0], self.projects("user-token", {"userId": self.user})[0]]
        expect(statuses == [403, 403], f"calls of a suspended tenant: {statuses}")
        self.at.done("POST", f"reactivate/tenant?tenant_id={self.id}")
        expect(self.signed("v2")[0] == 200, "a tenant that was reactivated is refused")

    def keys_end(self):
        """A revoked key mints no more, and what it minted is not active."""
        status, answer = self.projects("user-token", {"userId": self.user}, self.spare["api_key"])
        expect(status == 200, f"user-token by an embed key: {status} {answer}")
        minted = answer["data"]["token"]
        self.at.done("POST", f"revoke/api-key?tenant_id={self.id}&key_id={self.spare['key_id']}")
        status, _ = self.projects("user-token", {"userId": self.user}, self.spare["api_key"])
        expect(status == 401 and not self.is_active(minted), f"a revoked key: {status}")

    def limit(self, calls=30, limit=20):
        """Calls of another tenant at once: as many as its limit are accepted, and no more."""
        # Calls are counted by minutes of the clock. One that a busy machine holds up is a 503: then anew, by another.
        for _ in range(3):
            other = Life(self.at)
            other.begin(limit)
            until(60, lambda: time.time() % 60 < 30)
            minute = time.time() // 60
            statuses = together(calls, lambda: other.signed("v1")[0])
            if 503 not in statuses and time.time() // 60 == minute:
                break
        expect(sorted(statuses) == [200] * limit + [429] * (calls - limit), f"{calls} calls at once: {statuses}")

    def callbacks(self, receiver, deliver):
        """What happens to the tenant arrives at its receiver; `deliver` does what the table's stream would."""
        base = {"callback_url_base": receiver.address, "callback_types": ["tenant.*", "ping"]}
        self.at.done("POST", f"update/tenant?tenant_id={self.id}", base)
        self.suspension()
        self.at.done("POST", f"test/callback?tenant_id={self.id}", {})
        wanted = {"tenant.suspended", "tenant.reactivated", "ping"}

        def all_there():
            deliver()
            return wanted <= set(receiver.types())

        until(30, all_there, f"callbacks of {sorted(wanted)} are missing")
        for headers, body in receiver.got:
            names = {name.lower(): value for name, value in headers.items()}
            text = f"{names['x-latchkey-timestamp']}.{hashlib.sha256(compact(body).encode()).hexdigest()}"
            signature = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
            expect(signature in names["x-latchkey-signature"], f"the signature of {body['type']} is another")

        def all_delivered():
            listed = self.at.done("GET", f"fetch/callbacks?tenant_id={self.id}")["callbacks"]
            return all(callback["state"] == "delivered" for callback in listed)

        # The receiver has one before the table says so.
        until(30, all_delivered, "callbacks are not delivered")

    def schedules(self):
        """What schedules start runs, and says that it did."""
        for function in ("reconcile", "seal-audit-events", "deliver-callbacks"):
            self.at.invoke(function, {"source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {}})

    def audited(self):
        found = self.at.done("GET", f"fetch/audit-events?tenant_id={self.id}&limit=100")["events"]
        return [event["action"] for event in found]

    def known(self):
        """What of it is needed to go on with it, without tokens, which expire."""
        names = ("id", "secret", "project", "admin", "backend", "organization", "user", "session")
        return {name: getattr(self, name) for name in names}

    def go_on(self):
        """With what an earlier release has written: all of it can be read, and be used."""
        expect(self.listed(), "the tenant is not in the list")
        tenant = f"?tenant_id={self.id}"
        found = self.at.done("GET", f"fetch/tenant{tenant}")
        expect(found["status"] == "active" and found["callback_url_base"], f"the tenant: {found}")
        for path, name, least in (
            ("fetch/api-keys", "api_keys", 3),
            ("fetch/organizations", "organizations", 1),
            ("fetch/users", "users", 1),
            ("fetch/registered-tenants", "registered_tenants", 1),
            ("fetch/callbacks", "callbacks", 3),
            ("fetch/audit-events", "events", 10),
        ):
            rows = self.at.done("GET", f"{path}{tenant}&limit=100")[name]
            expect(len(rows) >= least, f"{path}: {len(rows)}")
        for path in ("agent-sessions", "tool-executions", "workspaces", "documents"):
            status, answer = self.account("GET", path)
            expect(status == 200 and answer["items"], f"{path}: {status} {answer}")
        for version in ("v1", "v2"):
            expect(self.signed(version)[0] == 200, f"a signed call, {version}")
        self.token = self.user_token()
        self.still_there()
        self.relay()
        self.suspension()
        self.signing_key()

    def still_there(self):
        """All that was made before is as it was."""
        expect(self.is_active(self.token), "an earlier token is not active")
        expect(self.signed("v2")[0] == 200, "the tenant secret is not known")
        expect(self.listed(), "the tenant is not in the list")
        headers = {"x-api-key": self.backend["api_key"], "external_user_id": "user_456"}
        path = f"/api/v1/agent-sessions/{self.session}/messages"
        status, answer = self.at.call("GET", path, None, headers)
        expect(status == 200 and len(answer["items"]) == 1, f"the session's messages: {status} {answer}")
        expect(self.is_active(self.user_token()), "no new token")


def compact(body):
    """JSON as it was sent."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def expect(condition, message):
    if not condition:
        raise SystemExit(f"failed: {message}")


def until(seconds, value, message="nothing came"):
    """What it is once it is true, asked five times a second."""
    deadline = time.monotonic() + seconds
    while not (found := value()):
        expect(time.monotonic() < deadline, f"{message}, after {seconds} s")
        time.sleep(0.2)
    return found


def together(count, call, workers=10):
    """The results of calls, so many at a time."""
    results, lock, left = [], threading.Lock(), iter(range(count))

    def work():
        while True:
            with lock:
                if next(left, None) is None:
                    return
            result = call()
            with lock:
                results.append(result)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
