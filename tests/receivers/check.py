"""Lets Harmattan send to real receivers and reads what arrived. Called by run.sh."""

import email.policy
import http.server
import json
import mailbox
import os
import subprocess
import sys
import threading
import time
import urllib.request

from standardwebhooks.webhooks import Webhook

PROGRAM, FOLDER = sys.argv[1:]
# Of each source what it shows, oldest first, with the link of each: that of a report joins it to another source's.
SHOWN = {"/wire": [("calm", 0)], "/paper": [("calm", 0)]}
CALLS = []

ARABIC = "مالي: هجوم على موقع للجيش قرب تمبكتو، a convoy attacked"
RUSSIAN = "Мали: a convoy attacked, затем the base falls"


class Site(http.server.BaseHTTPRequestHandler):
    """The feeds, and the webhook's receiver."""

    def do_GET(self):
        items = "".join(
            f"<item><title>{title}</title><guid>{title}</guid><link>https://wire.example/{link}</link></item>"
            for title, link in reversed(SHOWN[self.path])
        )
        body = f'<rss version="2.0"><channel><title>t</title>{items}</channel></rss>'.encode()
        self.send_response(200)
        self.send_header("content-type", "application/rss+xml")
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        # Raises when the signature or the time does not fit.
        Webhook(os.environ["HOOK_SECRET"]).verify(body, dict(self.headers))
        CALLS.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def once():
    done = subprocess.run([PROGRAM, "-c", f"{FOLDER}/harmattan.toml", "once", "--all"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def wait(what, ready):
    for _ in range(100):
        found = ready()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"{what} did not arrive")


def mails():
    if not os.path.exists("/var/mail/desk"):
        return []
    box = mailbox.mbox("/var/mail/desk", factory=lambda file: email.message_from_binary_file(file, policy=email.policy.default))
    return sorted(box, key=lambda mail: mail["Date"].datetime)


def asked(path):
    """What the Alertmanager answers; nothing while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:19093/{path}") as answer:
            return answer.read()
    except OSError:
        return b""


def alerts():
    return json.loads(asked("api/v2/alerts") or "[]")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = f"http://127.0.0.1:{server.server_port}"
with open(f"{FOLDER}/harmattan.toml", "w", encoding="utf-8") as config:
    config.write(f"""
[store]
path = "store"
[http]
contact = "mailto:desk@example.org"
allow_networks = ["127.0.0.0/8"]
[schedule]
host_gap = "0s"
[[source]]
name = "wire"
feed = "{base}/wire"
[[source]]
name = "paper"
feed = "{base}/paper"
[[rule]]
name = "convoy"
severity = "high"
all = ["convoy attacked"]
[[rule]]
name = "base"
severity = "critical"
all = ["base falls"]
[[notifier]]
name = "mail"
type = "email"
smtp = "smtp://alerts@localhost:587"
tls = "required"
password = {{ env = "SMTP_PASSWORD" }}
from = "Harmattan <alerts@localhost.example>"
to = ["desk@localhost"]
[[notifier]]
name = "hook"
type = "webhook"
url = "{base}/hook"
secret = {{ env = "HOOK_SECRET" }}
[[notifier]]
name = "am"
type = "alertmanager"
url = "http://127.0.0.1:19093"
""")
wait("the Alertmanager", lambda: asked("-/ready"))
once()
SHOWN["/wire"].append((ARABIC, 1))
once()
SHOWN["/paper"].append((RUSSIAN, 1))
once()

wait("a mail", lambda: len(mails()) == 2)
first, second = mails()
assert ARABIC[:20] in first["Subject"], first["Subject"]
assert "Update" in second["Subject"] or RUSSIAN[:10] in second["Subject"], second["Subject"]
for mail in (first, second):
    assert mail.get_content_type() == "multipart/alternative"
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    assert "convoy" in text and "convoy" in html
    assert mail["Auto-Submitted"] == "auto-generated" and mail["List-Id"] and mail["X-Harmattan-Alert"]
    assert "with ESMTPSA" in str(mail["Received"]), mail["Received"]
root = first["References"].split()[0]
assert second["References"].split()[0] == root, "one thread"
print(f"mail: 2 through Postfix with STARTTLS and AUTH, one thread, {first['Subject']!r}")

found = wait("an alert", lambda: len(alerts()) >= 2 and alerts())
print("alertmanager:", sorted((alert["labels"]["alertname"], alert["labels"]["severity"]) for alert in found))
assert {alert["labels"]["alertname"] for alert in found} >= {"convoy"}
assert all(alert["generatorURL"] == "https://wire.example/1" for alert in found), found

assert [call["type"] for call in CALLS] == ["alert.new", "alert.update"], CALLS
print("webhook: 2 verified by standardwebhooks:", [call["type"] for call in CALLS])
